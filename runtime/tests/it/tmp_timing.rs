use millstream_runtime::log::kafka::*;
use millstream_runtime::log::*;
use std::time::Instant;
#[test]
fn timing() {
    let b = millstream_test_support::kafka::shared().unwrap();
    for _ in 0..3 {
        let t = Instant::now();
        let log = KafkaLog::connect(KafkaConfig::new(b.bootstrap())).unwrap();
        eprintln!("connect {:?}", t.elapsed());
        let t = Instant::now();
        let mut a = log.admin().unwrap();
        let name = format!("t{:?}", Instant::now()).replace(|c: char| !c.is_ascii_alphanumeric(), "");
        a.create_topic(&TopicSpec::new(name.clone(), 2)).unwrap();
        eprintln!("create {:?}", t.elapsed());
        let p = TopicPartition::new(name.as_str(), 0);
        let t = Instant::now();
        a.offsets(&[p.clone()], OffsetQuery::Latest, Isolation::ReadCommitted).unwrap();
        eprintln!("offsets {:?}", t.elapsed());
        let t = Instant::now();
        let mut w = log.writer().unwrap();
        let mut rb = RecordsBuilder::default();
        rb.push(None, Some(b"x"), 5);
        w.write(&p, rb.finish()).unwrap();
        w.flush(std::time::Duration::from_secs(10)).unwrap();
        eprintln!("write {:?}", t.elapsed());
        let t = Instant::now();
        let mut r = log.reader(&ReaderOptions::new(Isolation::ReadCommitted)).unwrap();
        r.assign(&[(p.clone(), 0)]).unwrap();
        let mut runs = vec![];
        while runs.is_empty() {
            r.poll(std::time::Duration::from_millis(100), &mut runs).unwrap();
        }
        eprintln!("read {:?}", t.elapsed());
        while r.status(&p).is_none_or(|s| s.end != s.position) {
            r.poll(std::time::Duration::from_millis(100), &mut runs).unwrap();
        }
        eprintln!("eof {:?}", t.elapsed());
        let t = Instant::now();
        let mut m = log
            .member(&MemberOptions {
                group: name.clone(),
                instance: None,
                topics: vec![name.clone()],
                session_timeout_ms: 6000,
            })
            .unwrap();
        while m.poll().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        eprintln!("join {:?}", t.elapsed());
        let t = Instant::now();
        m.leave(std::time::Duration::from_secs(10)).unwrap();
        eprintln!("leave {:?}", t.elapsed());
        let t = Instant::now();
        let mut w =
            log.transactional_writer(&TransactionOptions { id: name.clone(), timeout_ms: 10000 }).unwrap();
        while w.init().is_err() {}
        eprintln!("init {:?}", t.elapsed());
        let mut times = vec![];
        for _ in 0..50 {
            let t = Instant::now();
            w.begin().unwrap();
            let mut rb = RecordsBuilder::default();
            rb.push(None, Some(b"x"), 5);
            w.write(&p, &rb.finish()).unwrap();
            while w.flush().is_err() {}
            w.commit().unwrap();
            times.push(t.elapsed());
        }
        times.sort();
        eprintln!("tx p50 {:?} p99 {:?}", times[25], times[49]);
    }
}
