use super::Peers;
use crate::error::{Error, Result};
use nn::join_shares;

/// What each of so many threads comes to.
pub(super) fn each<T: Send>(size: usize, f: impl Fn(&Peers) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = Peers::in_process(size).into_iter().map(|peers| scope.spawn(|| f(&{ peers }))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn a_sum_is_that_of_the_tree_for_every_number_of_peers_and_of_values() {
    for size in 1..=8 {
        for len in [0, 1, 3, 8, 1001] {
            let of =
                |rank: usize| proof::values(len, rank as u64).iter().map(|v| v * 10f32.powi(rank as i32 % 5)).collect::<Vec<_>>();
            let want = join_shares((0..size).map(of).collect());
            for sum in each(size, |peers| peers.sum(of(peers.rank())).unwrap()) {
                assert_eq!(sum, want, "{len} values of {size}");
            }
        }
    }
}

#[test]
fn what_each_has_is_known_to_all_in_order_however_long_it_is() {
    let all = each(3, |peers| {
        let mine = vec![peers.rank() as u8; 5 * peers.rank()];
        (peers.gather(&mine).unwrap(), peers.broadcast(vec![7; 3 + peers.rank()]).unwrap(), peers.any(peers.rank() == 2).unwrap())
    });
    for (gathered, first, any) in all {
        assert_eq!(gathered, [vec![], vec![1; 5], vec![2; 10]]);
        assert_eq!((first, any), (vec![7; 3], true));
    }
}

#[test]
fn if_one_fails_none_goes_on_and_all_know_which() {
    let failing = |rank| Error::Setting(format!("{rank} has no disk"));
    let results = each(4, |peers| peers.agree(if peers.rank() < 2 { Ok(()) } else { Err(failing(peers.rank())) }));
    for result in results {
        let error = result.unwrap_err();
        assert_eq!((error.to_string(), error.exit_code()), ("process 2: 2 has no disk".to_owned(), 2));
    }
    // The first one's own error is its own.
    let results = each(2, |peers| peers.agree(if peers.rank() == 1 { Ok(()) } else { Err(failing(0)) }));
    assert!(matches!(&results[0], Err(Error::Setting(_))) && matches!(&results[1], Err(Error::Peer { rank: 0, .. })));
    assert!(each(3, |peers| peers.agree(Ok(peers.rank()))).into_iter().enumerate().all(|(i, rank)| rank.unwrap() == i));
}

#[test]
fn what_differs_is_named() {
    let differs = |rank: usize, theirs: &str, first: &str| Error::Setting(format!("{rank} has {theirs}, the first {first}"));
    let results = each(3, |peers| peers.expect_same(if peers.rank() == 1 { "b" } else { "a" }, differs));
    assert!(results.into_iter().all(|result| result.unwrap_err().to_string().ends_with("1 has b, the first a")));
    assert!(each(3, |peers| peers.expect_same("a", differs)).into_iter().all(|result| result.is_ok()));
}

#[test]
fn one_that_ends_early_is_missed() {
    let results: Vec<Result<()>> = each(3, |peers| match peers.rank() {
        1 => Ok(()),
        _ => peers.sum(vec![1.0]).map(drop),
    });
    for result in [&results[0], &results[2]] {
        assert_eq!(result.as_ref().unwrap_err().to_string(), "process 1: it ended before the run did");
    }
}

#[test]
fn parts_that_cannot_be_shared_are_refused_with_what_can() {
    let shares = |size, parts| each(size, |peers| peers.share(parts).map_err(|e| e.to_string()));
    assert_eq!(shares(2, 4), [Ok(0..2), Ok(2..4)]);
    assert_eq!(shares(3, 6), [Ok(0..2), Ok(2..4), Ok(4..6)]);
    assert_eq!(shares(1, 5), [Ok(0..5)]);
    let refused = shares(2, 12).remove(0).unwrap_err();
    assert!(refused.starts_with("--accumulate 12 cannot be shared by 2 processes with the same bits"), "{refused}");
    assert!(refused.ends_with("(3, 6, 12 can, or 1)"), "{refused}");
    assert!(shares(4, 1).remove(0).unwrap_err().ends_with("(1 can)"));
}
