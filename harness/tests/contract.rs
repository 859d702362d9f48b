//! Every store behind the responder's traits keeps the same contract; the ledger on DynamoDB in `dynamodb.rs`.

use std::sync::{Arc, Mutex, PoisonError};

use portcullis_harness::contract::{Broken, ledger, network_acls};
use portcullis_harness::executor::{Executor, Spawner, Timers};
use portcullis_harness::schedule::Schedule;
use portcullis_harness::stores::Stores;
use portcullis_harness::world::World;

/// Runs a suite on stores in memory, on the virtual clock.
fn held<F>(suite: impl FnOnce(Box<dyn Fn() -> Stores + Send + Sync>) -> F) -> Result<(), Broken>
where
    F: Future<Output = Result<(), Broken>> + Send + 'static,
{
    let mut executor = Executor::default();
    let timers = Arc::new(Timers::default());
    let spawner = executor.spawner();
    let made = {
        let (timers, spawner) = (Arc::clone(&timers), spawner.clone());
        move || Stores {
            world: fine(&spawner, &timers),
            process: 0,
            life: 1,
            owner: "contract".to_owned(),
        }
    };
    let outcome: Arc<Mutex<Option<Result<(), Broken>>>> = Arc::default();
    let told = Arc::clone(&outcome);
    let suite = suite(Box::new(made));
    spawner.spawn(None, 0, async move {
        let done = suite.await;
        *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
    });
    executor.run(&timers, 24 * 3_600_000, Vec::new);
    let done = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
    done.expect("the suite ends")
}

/// A world in which nothing goes wrong.
fn fine(spawner: &Spawner, timers: &Arc<Timers>) -> Arc<World> {
    let mut schedule = Schedule::draw(1);
    (schedule.permille, schedule.lag) = (0, 0);
    (schedule.per_family, schedule.default_counts) = (false, false);
    let world = World::new(schedule, Arc::clone(timers), spawner.clone(), false);
    for acl in world.state().ec2.acls.values_mut() {
        acl.entries.clear();
        acl.quota = 3;
    }
    Arc::new(world)
}

#[test]
fn the_stores_in_memory_keep_the_contract() {
    assert_eq!(held(|make| async move { ledger::hold(make).await }), Ok(()));
    assert_eq!(held(|make| async move { network_acls::hold(make).await }), Ok(()));
}

#[cfg(feature = "embedded")]
mod embedded {
    use portcullis::ledger::embedded::SqliteLedger;
    use portcullis::network_acl::model::{Model, Vpc};
    use portcullis_harness::findings::{ACCOUNT, REGION};

    use super::{ledger, network_acls};

    #[tokio::test]
    async fn the_ledger_of_one_machine_keeps_the_contract() {
        let make = || SqliteLedger::in_memory().expect("a ledger");
        assert_eq!(ledger::hold(make).await, Ok(()));
    }

    #[tokio::test]
    async fn the_model_of_one_machine_keeps_the_contract() {
        let make = || {
            let model = Model::in_memory().expect("a model");
            let mut vpc = Vpc::new(ACCOUNT, REGION, "vpc-1", "acl-1");
            vpc.quota = 3;
            model.define(&vpc).expect("defined");
            model
        };
        assert_eq!(network_acls::hold(make).await, Ok(()));
    }
}
