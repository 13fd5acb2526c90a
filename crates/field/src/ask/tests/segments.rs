//! Devices of one segment: how many at a time, and how far apart.

use super::*;

#[test]
fn four_devices_of_a_segment_are_asked_at_a_time() {
    block_on(async {
        let (state, doors) = (State::new(), Arc::default());
        let mut asks = Vec::new();
        for host in 1..=7 {
            asks.push(regular(start_behind(&format!("127.0.0.{host}"), Device::Waits, &doors).await, 1));
        }
        let (_, summary) = run(&state, &asks, order(), 0).await;
        assert_eq!(summary, "7 devices, 7 connections, 7 requests, 77 bytes out, 0 refused");
        assert_eq!((doors.most.load(Ordering::Relaxed), doors.all.load(Ordering::Relaxed)), (4, 7));
    });
}

#[test]
fn devices_of_a_segment_keep_their_gap_across_runs() {
    block_on(async {
        const GAP: Duration = Duration::from_millis(200);
        let (state, clock) = (State::new(), clock(0));
        for host in 1..=3 {
            let (target, _) = start(&format!("127.0.0.{host}"), Device::Answers).await;
            let for_touch = Arc::clone(&clock);
            let touch = Arc::new(TouchRecord::open(&state.0, move || for_touch()).expect("a state directory"));
            let settings = Settings { time_factor: 0.04, ..Settings::new(order(), Arc::clone(&clock)) };
            ask(vec![regular(target, 1)], &settings, touch, |_| ()).await.expect("loopback only");
        }
        let mut begun = Vec::new();
        let read = crate::touch::lines_from(&state.0, 0, |_, line, _| {
            begun.extend((line.kind == Kind::Connect).then_some(line.time));
        });
        read.expect("a record");
        let gaps: Vec<Duration> = begun.windows(2).map(|pair| pair[1].duration_since(pair[0]).expect("in order")).collect();
        assert!(gaps.len() == 2 && gaps.iter().all(|gap| *gap >= GAP), "{gaps:?}");
    });
}
