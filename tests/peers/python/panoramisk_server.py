"""The peer panoramisk, on asyncio."""

import asyncio
import sys

from panoramisk.fast_agi import Application

COMMANDS = int(sys.argv[1])


async def script(request):
    for _ in range(COMMANDS):
        await request.send_command('SET VARIABLE "NAME" "a value"')


async def main():
    application = Application(loop=asyncio.get_running_loop())
    application.add_route("script", script)
    server = await asyncio.start_server(application.handler, "127.0.0.1", 0, backlog=4096)
    print("%s:%d" % server.sockets[0].getsockname(), flush=True)
    await server.serve_forever()


asyncio.run(main())
