//! A build without a web view. It has the same types, but a page cannot be started, so no value of them exists.

use crossbeam_channel::Sender;

use super::PageEvent;
use super::error::PageError;
use super::page_spec::PageSpec;
use session::Clock;

#[derive(Debug)]
pub enum PageHost {}

pub enum PageStage {}

#[derive(Debug)]
pub struct PageSession {
    pub clock: Clock,
    pub out: Sender<PageEvent>,
    pub fixation: Option<String>,
    pub questionnaire: Option<usize>,
    pub condition: Option<String>,
    pub is_preview: bool,
}

impl PageHost {
    pub fn start(_: PageSpec, _: Clock, _: Sender<PageEvent>) -> Result<PageHost, PageError> {
        Err(PageError::NoWebView)
    }

    pub fn start_behind(
        _: Option<String>,
        _: Option<usize>,
        spec: PageSpec,
        clock: Clock,
        out: Sender<PageEvent>,
    ) -> Result<PageHost, PageError> {
        PageHost::start(spec, clock, out)
    }

    pub fn attach(&self, _: PageSession) {
        match *self {}
    }

    pub fn detach(&self) {
        match *self {}
    }

    pub fn stage(&self) -> Option<PageStage> {
        match *self {}
    }

    pub fn reload(&self) {
        match *self {}
    }

    pub fn close(self) -> Result<(), PageError> {
        match self {}
    }
}

impl PageStage {
    pub fn begin(&self) {
        match *self {}
    }

    pub fn show_questionnaire(&self, _: usize) {
        match *self {}
    }

    pub fn calm(&self) {
        match *self {}
    }

    pub fn close(&self) {
        match *self {}
    }
}
