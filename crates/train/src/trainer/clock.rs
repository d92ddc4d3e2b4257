//! Time spent on training, without evaluation and saving, and how often to wait for the device.

use std::time::{Duration, Instant};

/// Work that may be under way before the next wait: a Ctrl-C is answered within this.
const IN_FLIGHT: Duration = Duration::from_millis(500);

/// Counts images and seconds after the first step, which is counted by itself: it compiles the kernels.
#[derive(Debug)]
pub struct Clock {
    began: Instant,
    first_step: Option<Duration>,
    running: Option<Instant>,
    elapsed: Duration,
    stalled: Duration,
    /// Of that, what belongs to the epoch under way.
    stalled_in_epoch: Duration,
    images: u64,
    steps: u64,
    /// Steps since the last wait.
    sent: u64,
}

impl Clock {
    /// `began`: when the command was started.
    pub fn new(began: Instant) -> Self {
        Self {
            began,
            first_step: None,
            running: None,
            elapsed: Duration::ZERO,
            stalled: Duration::ZERO,
            stalled_in_epoch: Duration::ZERO,
            images: 0,
            steps: 0,
            sent: 0,
        }
    }

    /// A step was sent; true if the device should be waited for now, and then [`waited`](Self::waited) be called.
    pub fn stepped(&mut self, images: u64) -> bool {
        self.sent += 1;
        if self.first_step.is_some() {
            self.images += images;
            self.steps += 1;
        }
        self.sent >= self.pace()
    }

    /// The device has done all that was sent.
    pub fn waited(&mut self) {
        self.sent = 0;
        if self.first_step.is_none() {
            self.first_step = Some(self.began.elapsed());
            self.running = Some(Instant::now());
        }
    }

    /// Stops counting: something that is not training follows. The device has done all that was sent.
    pub fn pause(&mut self) {
        self.waited();
        self.elapsed = self.training();
        self.running = None;
    }

    /// Goes on counting.
    pub fn go_on(&mut self) {
        if self.first_step.is_some() {
            self.running = Some(Instant::now());
        }
    }

    /// A batch had to be waited for, so long.
    pub fn fed(&mut self, waited: Duration) {
        if self.first_step.is_some() {
            self.stalled += waited;
            self.stalled_in_epoch += waited;
        }
    }

    /// What of [`stall_s`](Self::stall_s) has come to since this was last asked, at the end of an epoch.
    pub fn stall_of_epoch_s(&mut self) -> f64 {
        std::mem::take(&mut self.stalled_in_epoch).as_secs_f64()
    }

    /// Of training alone, after the first step: all that batches were waited for.
    pub fn stall_s(&self) -> f64 {
        self.stalled.as_secs_f64()
    }

    /// From the start of the command.
    pub fn elapsed_s(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// From the start of the command to the end of the first step.
    pub fn first_step_s(&self) -> Option<f64> {
        self.first_step.map(|d| d.as_secs_f64())
    }

    /// Of training alone, after the first step.
    pub fn images_per_s(&self) -> Option<f64> {
        let s = self.training().as_secs_f64();
        (self.images > 0 && s > 0.0).then(|| self.images as f64 / s)
    }

    /// The time that `steps` more will take.
    pub fn left(&self, steps: u64) -> Option<Duration> {
        (self.steps > 0).then(|| self.training().div_f64(self.steps as f64).mul_f64(steps as f64))
    }

    fn training(&self) -> Duration {
        self.elapsed + self.running.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// How many steps go out between waits.
    fn pace(&self) -> u64 {
        let done = self.steps.saturating_sub(self.sent);
        match done {
            0 => 1,
            n => (IN_FLIGHT.as_secs_f64() * n as f64 / self.training().as_secs_f64().max(1e-9)).clamp(1.0, 50.0) as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_is_not_in_the_throughput() {
        let mut clock = Clock::new(Instant::now());
        clock.fed(Duration::from_secs(5));
        assert!(clock.stepped(64));
        clock.waited();
        assert_eq!(clock.stall_s(), 0.0);
        clock.fed(Duration::from_millis(2));
        clock.fed(Duration::from_millis(3));
        assert_eq!((clock.stall_s(), clock.stall_of_epoch_s()), (0.005, 0.005));
        clock.fed(Duration::from_millis(1));
        assert_eq!((clock.stall_s(), clock.stall_of_epoch_s()), (0.006, 0.001));
        assert!(clock.first_step_s().is_some() && clock.images_per_s().is_none());
        assert!(clock.stepped(64));
        std::thread::sleep(Duration::from_millis(20));
        clock.pause();
        let before = clock.images_per_s().unwrap();
        assert!(before < 64.0 / 0.02 + 1.0);
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(clock.images_per_s().unwrap(), before);
        assert!(clock.left(2).unwrap() >= Duration::from_millis(40));
    }
}
