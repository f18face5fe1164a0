//! A value that can be replaced while others use it.

use std::mem;
use std::sync::{Arc, PoisonError, RwLock};

/// A value that can be replaced while others use it. A clone is the same one.
#[derive(Debug)]
pub struct Swap<H> {
    value: Arc<RwLock<H>>,
}

impl<H> Swap<H> {
    /// Begins with a value.
    pub fn new(value: H) -> Self {
        Self { value: Arc::new(RwLock::new(value)) }
    }

    /// Replaces the value. The old one is dropped after the lock is free, because that may take its time, or use this.
    pub fn replace(&self, value: H) {
        let old = mem::replace(&mut *self.value.write().unwrap_or_else(PoisonError::into_inner), value);
        drop(old);
    }
}

impl<H: Clone> Swap<H> {
    /// Returns the value of now.
    pub fn get(&self) -> H {
        self.value.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<H> Clone for Swap<H> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// A value that reads the swap when it is dropped.
    #[derive(Clone)]
    struct Reader(Option<Swap<Arc<Reader>>>);

    impl Drop for Reader {
        fn drop(&mut self) {
            if let Some(swap) = &self.0 {
                drop(swap.get());
            }
        }
    }

    #[test]
    fn old_value_is_dropped_without_the_lock() {
        let swap = Swap::new(Arc::new(Reader(None)));
        swap.replace(Arc::new(Reader(Some(swap.clone()))));
        let (done, replaced) = mpsc::channel();
        thread::spawn(move || {
            swap.replace(Arc::new(Reader(None)));
            done.send(()).expect("somebody waits for it");
        });
        replaced.recv_timeout(Duration::from_secs(20)).expect("the drop waits for its own lock");
    }
}
