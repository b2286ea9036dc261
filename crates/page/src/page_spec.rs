//! Which page is shown, and where.

use std::path::{Path, PathBuf};

use super::address::{AddressError, PageAddress};
use super::placement::Placement;
use session::{OnCrash, PageSettings};

/// A page, where it is shown, and which of its contents are not recorded.
#[derive(Debug, Clone)]
pub struct PageSpec {
    pub address: PageAddress,
    pub placement: Placement,
    /// CSS selectors. Of these elements the time of an action is recorded, but not its content.
    pub mask: Vec<String>,
    /// Other origins that the page may navigate to.
    pub allow: Vec<String>,
    /// Folder of cookies and stored data. `None`: they are not kept, so each session starts without them.
    pub data_dir: Option<PathBuf>,
    /// Questionnaires as [`questionnaire_page`](super::questionnaire_page) writes them. They are shown on request.
    pub questionnaires: Vec<String>,
    /// The sentence of the closing screen. It is shown on request.
    pub closing: String,
    /// The participant's condition, for the page.
    pub condition: Option<String>,
    /// A page that crashes is loaded again by the operator, and not by itself.
    pub waits_after_crash: bool,
}

impl PageSpec {
    /// A study's page. `beside` is the study file's folder. Cookies and stored data are not kept.
    /// Without a page, the window is calm.
    pub fn of_study(
        page: Option<&PageSettings>,
        beside: &Path,
        placement: Placement,
    ) -> Result<PageSpec, AddressError> {
        let address = page.map_or(Ok(PageAddress::Calm), |page| PageAddress::parse(&page.address, beside))?;
        Ok(PageSpec {
            address,
            placement,
            mask: page.map(|page| page.mask.clone()).unwrap_or_default(),
            allow: page.map(|page| page.allow.clone()).unwrap_or_default(),
            data_dir: None,
            questionnaires: Vec::new(),
            closing: String::new(),
            condition: None,
            waits_after_crash: page.is_some_and(|page| page.on_crash == OnCrash::Wait),
        })
    }
}
