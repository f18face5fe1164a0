"""The peer pystrix, as it is meant to be used: a thread for each call."""

import sys

from pystrix.agi import core
from pystrix.agi.fastagi import FastAGIServer

COMMANDS = int(sys.argv[1])


def script(agi, args, kwargs, match, path):
    for _ in range(COMMANDS):
        agi.execute(core.SetVariable("NAME", "a value"))


# it asks the program sysctl, which not every system has
FastAGIServer.get_somaxconn = staticmethod(lambda: 4096)
server = FastAGIServer(interface="127.0.0.1", port=0)
server.register_script_handler(None, script)
print("%s:%d" % server.server_address, flush=True)
server.serve_forever()
