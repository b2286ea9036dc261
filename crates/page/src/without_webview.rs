//! A build without a web view. It has the same types, but a page cannot be started, so no value of them exists.

use crossbeam_channel::Sender;

use super::PageEvent;
use super::error::PageError;
use super::page_spec::PageSpec;
use session::Clock;

#[derive(Debug)]
pub enum PageHost {}

pub enum PageBeginner {}

#[derive(Debug)]
pub struct PageSession {
    pub clock: Clock,
    pub out: Sender<PageEvent>,
    pub fixation: Option<String>,
    pub is_preview: bool,
}

impl PageHost {
    pub fn start(_: PageSpec, _: Clock, _: Sender<PageEvent>) -> Result<PageHost, PageError> {
        Err(PageError::NoWebView)
    }

    pub fn start_behind(
        _: Option<String>,
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

    pub fn beginner(&self) -> Option<PageBeginner> {
        match *self {}
    }

    pub fn reload(&self) {
        match *self {}
    }

    pub fn close(self) -> Result<(), PageError> {
        match self {}
    }
}

impl PageBeginner {
    pub fn begin(self) {
        match self {}
    }
}
