//! The page of a rig: opened by the rig and closed with it, or a participant window that is open already and stays open.

use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};

use super::RigPlan;
use page::{PageError, PageEvent, PageHost, PageSession};
use session::Clock;

const QUEUE: usize = 8192;

pub(super) enum RigPage {
    Own(PageHost),
    Lent(LentPage),
}

/// Gives the page back when it is dropped.
pub(super) struct LentPage(Arc<PageHost>);

impl Drop for LentPage {
    fn drop(&mut self) {
        self.0.detach();
    }
}

impl RigPage {
    /// `None`: the plan has no page. `sentence`: the one below the cross that comes before the page.
    /// `questionnaire`: the one that comes first if there is no cross.
    pub fn start(
        plan: &RigPlan,
        sentence: Option<String>,
        questionnaire: Option<usize>,
        clock: Clock,
        is_preview: bool,
    ) -> Result<Option<(RigPage, Receiver<PageEvent>)>, PageError> {
        let (out, events) = bounded(QUEUE);
        let page = match (&plan.window, &plan.page) {
            (Some(window), _) => {
                let condition = plan.page.as_ref().and_then(|page| page.condition.clone());
                window.attach(PageSession { clock, out, fixation: sentence, questionnaire, condition, is_preview });
                RigPage::Lent(LentPage(window.clone()))
            }
            (None, Some(spec)) => {
                RigPage::Own(PageHost::start_behind(sentence, questionnaire, spec.clone(), clock, out)?)
            }
            (None, None) => return Ok(None),
        };
        Ok(Some((page, events)))
    }

    pub fn host(&self) -> &PageHost {
        match self {
            RigPage::Own(page) => page,
            RigPage::Lent(page) => &page.0,
        }
    }

    /// The page's last events follow. A lent window stays open.
    pub fn end(self) -> Result<(), PageError> {
        match self {
            RigPage::Own(page) => page.close(),
            RigPage::Lent(page) => {
                drop(page);
                Ok(())
            }
        }
    }
}
