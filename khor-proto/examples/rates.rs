//! Prints the rate of every counter once a second: `cargo run -p khor-proto --example rates
//! [SOCKET]`.

use khor_proto::{
    Availability, CounterInfo, Sample, Subscribe,
    client::{DEFAULT_SOCKET, Event, SOCKET_ENV, Update, reconnecting},
};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let socket = std::env::args()
        .nth(1)
        .or_else(|| std::env::var(SOCKET_ENV).ok())
        .unwrap_or_else(|| DEFAULT_SOCKET.to_owned());
    let request = Subscribe { interval_ms: 1000, ..Subscribe::default() };
    let mut subscription = reconnecting(socket, request, "rates");
    let (mut catalogue, mut last) = (Vec::new(), None);
    while let Some(event) = subscription.next().await {
        match event {
            Event::Connected(welcome) => {
                println!("collector {} on {}", welcome.collector_version, welcome.kernel_release);
                (catalogue, last) = (welcome.counters, None);
            }
            Event::Update(Update::Subscribed(_)) => last = None,
            Event::Update(Update::Sample(sample)) => {
                if let Some(before) = last {
                    print_rates(&catalogue, &before, &sample);
                }
                last = Some(sample);
            }
            // Cannot happen, because this example requests no cues.
            Event::Update(Update::Cue(_) | Update::Lost { .. }) => {}
            Event::Disconnected { reason, .. } => eprintln!("{reason}"),
        }
    }
}

fn print_rates(catalogue: &[CounterInfo], before: &Sample, now: &Sample) {
    let elapsed_s = (now.t_ns - before.t_ns) as f64 / 1e9;
    println!();
    for (index, counter) in catalogue.iter().enumerate() {
        match (&counter.availability, before.counters[index], now.counters[index]) {
            (Availability::Absent { reason }, ..) => println!("{:>16}  absent: {reason}", counter.name),
            (_, Some(from), Some(to)) => {
                let rate = (to - from) as f64 / elapsed_s;
                println!("{:>16}  {rate:>14.1} {:?}/s", counter.name, counter.unit);
            }
            _ => println!("{:>16}  unknown", counter.name),
        }
    }
}
