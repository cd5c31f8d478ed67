//! What each rule of the protocol is for: with the rule off, some seed shows the anomaly; with it on, none does.
//!
//! Run one with `MILLSTREAM_RULE=settle_doubt cargo test --release -p millstream-runtime --test simulation rule -- --nocapture`.

use crate::world::{Profile, run_seed};
use millstream_runtime::Rules;

/// Seeds in which the anomaly has to appear.
const SEEDS_MAX: u64 = 10_000;

struct Rule {
    name: &'static str,
    off: fn(&mut Rules),
    /// Makes the anomaly likelier; chaos otherwise.
    attack: fn(&mut Profile),
}

fn rules() -> Vec<Rule> {
    fn as_is(_: &mut Profile) {}
    let rule = |name, off, attack| Rule { name, off, attack };
    /// Workers that stand still for a while: others take over in between.
    fn stall(attack: &mut Profile) {
        (attack.pause, attack.pause_ms_max, attack.kill, attack.twin) = (20, 1_500, 400, 0);
    }
    vec![
        rule("always_fence", |rules| rules.always_fence = false, stall),
        rule("commit_as_member", |rules| rules.commit_as_member = false, as_is),
        rule(
            "end_before_release",
            |rules| rules.end_before_release = false,
            |attack| {
                (attack.pause, attack.pause_ms_max, attack.kill, attack.stop, attack.twin) =
                    (12, 400, 150, 150, 0);
            },
        ),
        rule("drop_on_revoke", |rules| rules.drop_on_revoke = false, stall),
        rule("drop_on_fence", |rules| rules.drop_on_fence = false, as_is),
        rule("settle_doubt", |rules| rules.settle_doubt = false, as_is),
        rule("replace_repeated_writer", |rules| rules.replace_repeated_writer = false, as_is),
        // Waiting for the pending offset and reading behind open transactions cover for each other: an entry is in the
        // log before its offset is sent. Without the second alone a take-over is refused; without both, and without the refusal, the journal forks.
        rule("read_to_true_end", |rules| rules.read_to_true_end = false, as_is),
        rule(
            "wait_for_pending",
            |rules| {
                (rules.wait_for_pending, rules.read_to_true_end, rules.compare_with_group) =
                    (false, false, false);
            },
            as_is,
        ),
        rule(
            "compare_with_group",
            |rules| rules.compare_with_group = false,
            |attack| attack.cut_journal = true,
        ),
        rule("checkpoint_after_commit", |rules| rules.checkpoint_after_commit = false, as_is),
        // A checkpoint can be of another history only when it was written too early, or when the log lost its end.
        rule(
            "check_checkpoint",
            |rules| (rules.check_checkpoint, rules.checkpoint_after_commit) = (false, false),
            as_is,
        ),
        // Only where the newest snapshot can't be read is the one before needed, and the entries since.
        rule(
            "purge_behind_previous",
            |rules| rules.purge_behind_previous = false,
            |attack| *attack = Profile { lose_snapshot: 20, lose_disk: 1, ..Profile::purged() },
        ),
        rule(
            "positions_from_journal",
            |rules| rules.positions_from_journal = false,
            |attack| {
                // Copies of an older commit's offsets, late enough to outlive the pauses in front of the next one, and many
                // restarts that would believe them.
                (attack.fault, attack.late, attack.kill, attack.pause, attack.twin) = (5, 8, 60, 0, 0);
            },
        ),
    ]
}

#[test]
fn a_cut_journal_is_refused() {
    let profile = Profile { cut_journal: true, ..Profile::chaos() };
    let only = std::env::var("MILLSTREAM_SEED").map_or(0..50, |seed| {
        let seed = seed.parse().unwrap();
        seed..seed + 1
    });
    let mut refused = 0;
    for seed in only {
        match run_seed(seed, &profile) {
            Ok(totals) => assert_eq!(totals.cut_entries, 0, "seed {seed}: the cut was not noticed"),
            Err(error) => {
                let said = "somebody reset the group's offsets or cut the journal";
                assert!(error.contains(said), "seed {seed}: {error}");
                refused += 1;
            }
        }
    }
    // In some weather nothing was committed before.
    assert!(refused > 40 || std::env::var("MILLSTREAM_SEED").is_ok(), "{refused}");
}

#[test]
fn every_rule_prevents_an_anomaly() {
    let only = std::env::var("MILLSTREAM_RULE").ok();
    let mut silent = Vec::new();
    for rule in rules().into_iter().filter(|rule| only.as_deref().is_none_or(|name| name == rule.name)) {
        // Each anomaly by itself: most rules have nothing to do with snapshots.
        let mut profile = Profile { snapshots: false, lose_snapshot: 0, ..Profile::chaos() };
        (rule.attack)(&mut profile);
        (rule.off)(&mut profile.rules);
        let found = (0..SEEDS_MAX).find_map(|seed| run_seed(seed, &profile).err().map(|error| (seed, error)));
        match found {
            Some((seed, anomaly)) => {
                let anomaly: String = anomaly.chars().take(160).collect();
                println!("without {}: seed {seed}: {anomaly}", rule.name);
            }
            None => silent.push(rule.name),
        }
    }
    assert!(silent.is_empty(), "no anomaly in {SEEDS_MAX} seeds without {silent:?}");
}
