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
    /// A page that crashes is loaded again by the operator, and not by itself.
    pub waits_after_crash: bool,
}

impl PageSpec {
    /// A study's page. `beside` is the study file's folder. Cookies and stored data are not kept.
    pub fn of_study(page: &PageSettings, beside: &Path, placement: Placement) -> Result<PageSpec, AddressError> {
        Ok(PageSpec {
            address: PageAddress::parse(&page.address, beside)?,
            placement,
            mask: page.mask.clone(),
            allow: page.allow.clone(),
            data_dir: None,
            waits_after_crash: page.on_crash == OnCrash::Wait,
        })
    }
}
