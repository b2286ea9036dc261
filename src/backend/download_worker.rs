//! The thread `download_worker`: fetches sessions from a server, one order after the other.

use super::orders::{Order, Orders};
use super::to_window::ToWindow;
use crate::places::Places;
use desktop::port::{Activity, PullOrder, PullOutcome, PullStep, Update};
use server::{PullPlan, PullProgress, Pulled, pull};
use study_query::Cancel;

impl Order for (PullOrder, Cancel) {
    fn replaces(&self, _: &Self) -> bool {
        false
    }
}

/// The thread is not joined, because a stalled server would delay the closing of the window. An incomplete session is in a
/// draft, which the next download removes.
pub fn start(places: Places, orders: Orders<(PullOrder, Cancel)>, window: ToWindow) -> std::io::Result<()> {
    let run = move || {
        for (order, cancel) in orders.each() {
            window.tell(match carry_out(&places, &order, &cancel, &window) {
                Ok(outcome) => Update::Pulled(outcome),
                Err(sentence) => Update::Failed { during: Activity::Pull, sentence },
            });
        }
    };
    std::thread::Builder::new().name("download_worker".into()).spawn(run).map(drop)
}

fn carry_out(places: &Places, order: &PullOrder, cancel: &Cancel, window: &ToWindow) -> Result<PullOutcome, String> {
    let library = places.library().map_err(|e| e.to_string())?;
    let PullOrder { server, token, study } = order.clone();
    let plan = PullPlan { server, token, study };
    let told =
        |PullProgress { number, sessions, name }| window.tell(Update::Pulling(PullStep { number, of: sessions, name }));
    let Pulled { fetched, there_already, mut refused, damaged, is_cancelled } =
        pull(&plan, &library, cancel, told).map_err(|e| e.to_string())?;
    refused.extend(damaged);
    Ok(PullOutcome { server: plan.server, fetched, there_already, refused, is_cancelled })
}
