//! The broker that tests run against: started, stopped, killed, started again, and gone with its owner.

use millstream_test_support::kafka::{Broker, BrokerOptions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Asks for API versions; says whether an answer came.
fn answers(address: &str, client: &str, patience: Duration) -> bool {
    let ask = || -> std::io::Result<()> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(patience))?;
        let mut request = vec![0, 18, 0, 0, 0, 0, 0, 1];
        request.extend((client.len() as u16).to_be_bytes());
        request.extend(client.as_bytes());
        stream.write_all(&(request.len() as u32).to_be_bytes())?;
        stream.write_all(&request)?;
        stream.read_exact(&mut [0; 8])
    };
    ask().is_ok()
}

fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn a_broker_can_be_paused_killed_and_restarted() {
    let start = Instant::now();
    let Some(broker) = Broker::start(&BrokerOptions::default()) else { return };
    println!("formatted and started in {} ms", start.elapsed().as_millis());
    let (address, proxied) = (broker.bootstrap(), broker.proxied_bootstrap());
    let patience = Duration::from_secs(10);
    assert!(answers(&address, "a", patience) && answers(&proxied, "a", patience));

    broker.pause();
    assert!(!answers(&address, "a", Duration::from_millis(300)));
    broker.resume();
    assert!(answers(&address, "a", patience));

    broker.proxy().pause("a", true);
    assert!(!answers(&proxied, "a", Duration::from_millis(300)));
    assert!(answers(&proxied, "b", patience) && answers(&address, "a", patience));
    broker.proxy().pause("a", false);
    assert!(answers(&proxied, "a", patience));
    broker.proxy().kill("a");
    assert!(!answers(&proxied, "a", patience) && answers(&proxied, "b", patience));

    let pid = broker.pid().expect("it runs");
    broker.kill();
    assert!(!answers(&address, "a", patience) && !is_alive(pid));
    let start = Instant::now();
    broker.restart();
    println!("started again in {} ms", start.elapsed().as_millis());
    assert!(answers(&address, "a", patience));
}

/// Runs this test binary once more, kills it, and sees its broker go.
#[test]
fn a_broker_ends_with_its_owner() {
    const INNER: &str = "MILLSTREAM_TEST_OWNER";
    if std::env::var_os(INNER).is_some() {
        if let Some(broker) = Broker::start(&BrokerOptions::default()) {
            println!("pid {}", broker.pid().expect("it runs"));
            std::thread::sleep(Duration::from_secs(600));
        }
        println!("pid none");
        return;
    }
    let mut owner = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "a_broker_ends_with_its_owner", "--nocapture"])
        .env(INNER, "1")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("this test once more");
    let output = std::io::BufReader::new(owner.stdout.take().expect("a pipe"));
    let mut lines = std::io::BufRead::lines(output);
    let pid = loop {
        let line = lines.next().expect("the owner says its broker's pid").expect("text");
        if let Some((_, pid)) = line.split_once("pid ") {
            break pid.to_owned();
        }
    };
    let pid: Option<u32> = pid.parse().ok();
    assert!(pid.is_none_or(is_alive));
    owner.kill().expect("a child");
    owner.wait().expect("a child");
    let Some(pid) = pid else { return };
    let deadline = Instant::now() + Duration::from_secs(20);
    while is_alive(pid) {
        assert!(Instant::now() < deadline, "broker {pid} outlives its owner");
        std::thread::sleep(Duration::from_millis(10));
    }
}
