//! What several machines would come to, by arithmetic: no measurement. `cargo bench --bench scaling` prints the table of `docs/machines.md`.
//!
//! A step takes its time on a GPU, and then the sums of the gradients go to the host, between the processes, and back. Assumed are a
//! network's gradients and its time, what links carry, what a core adds up, and how long a message is under way; nothing waits for
//! anything else. Not in it: what is computed between messages, links that are shared with others, and machines that are late.

/// Bytes a second and seconds.
struct Assumed {
    /// Of a GPU's gradients.
    bytes: f64,
    /// Of a step on one GPU, two thirds of which are the backward pass.
    step_s: f64,
    /// Between a GPU and its host, either way.
    pcie: f64,
    /// Between the processes of a machine, all together.
    memory: f64,
    /// Between a machine and the others, either way.
    network: f64,
    /// What a process reads while it adds up.
    add: f64,
    /// Under way, for each message.
    message_s: f64,
}

/// ResNet-50 in f32 at 32 images a GPU, 320 images/s each; PCIe 3, a network of 100 Gb/s.
const ASSUMED: Assumed =
    Assumed { bytes: 102e6, step_s: 0.1, pcie: 12e9, memory: 100e9, network: 12.5e9, add: 10e9, message_s: 10e-6 };

#[derive(Clone, Copy)]
enum Way {
    /// All with all.
    Flat,
    /// Over the processes of a machine first: what is built.
    Machines,
    /// The same in pieces that go while the backward pass goes on, which is not built.
    Buckets,
}

impl Assumed {
    /// Seconds from the last gradient to the update, on so many machines of so many GPUs.
    fn exposed_s(&self, machines: f64, gpus: f64, way: Way) -> f64 {
        let (all, twice) = (machines * gpus, 2.0 * self.bytes);
        let host = twice / self.pcie;
        let flat = (twice * gpus * (gpus - 1.0) / all, twice * gpus * (all - gpus) / all, self.bytes, 2.0 * (all - 1.0));
        let (within, across, added, messages) = match way {
            Way::Flat => flat,
            // One machine, or one GPU on each, has one way.
            _ if machines == 1.0 || gpus == 1.0 => flat,
            Way::Machines | Way::Buckets => (
                twice * (gpus - 1.0),
                twice * (machines - 1.0) / machines,
                self.bytes * (1.0 + 1.0 / gpus),
                2.0 * (gpus + machines - 2.0),
            ),
        };
        let whole = host + within / self.memory + across / self.network + added / self.add + messages * self.message_s;
        match way {
            // Sixteen pieces, of which the last one has nothing to hide behind.
            Way::Buckets => (whole - self.step_s * 2.0 / 3.0).max(0.0) + whole / 16.0,
            _ => whole,
        }
    }

    /// The share of the time of all GPUs that is training.
    fn efficiency(&self, machines: u32, gpus: u32, way: Way) -> f64 {
        match machines * gpus {
            1 => 1.0,
            _ => self.step_s / (self.step_s + self.exposed_s(machines.into(), gpus.into(), way)),
        }
    }
}

fn main() {
    println!("| machines x GPUs | flat | by machines | in pieces, under the backward pass |");
    println!("| --- | ---: | ---: | ---: |");
    for (machines, gpus) in [(1, 2), (1, 8), (2, 1), (2, 8), (8, 1), (8, 8), (16, 8), (32, 8)] {
        let [flat, by_machines, buckets] =
            [Way::Flat, Way::Machines, Way::Buckets].map(|way| 100.0 * ASSUMED.efficiency(machines, gpus, way));
        println!("| {machines} x {gpus} | {flat:.0} % | {by_machines:.0} % | {buckets:.0} % |");
    }
}
