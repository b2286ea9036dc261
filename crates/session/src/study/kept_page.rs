//! The page that a study had last, with its place and comments in the text. It comes back if a page is wanted again.

use toml_edit::{DocumentMut, Item, Key, Table};

use super::edit::{document, with_line_ends_of};
use super::error::StudyError;
use super::model::Study;
use super::page::PageSettings;

#[derive(Clone, Debug)]
pub struct KeptPage {
    settings: PageSettings,
    key: Key,
    item: Item,
}

impl KeptPage {
    /// The page of a study, which was parsed from the text. `None`: the study has no page.
    pub fn of(text: &str, study: &Study) -> Option<KeptPage> {
        let settings = study.page.clone()?;
        let document: DocumentMut = text.parse().ok()?;
        let (key, item) = document.get_key_value("page")?;
        Some(KeptPage { settings, key: key.clone(), item: item.clone() })
    }

    pub fn settings(&self) -> &PageSettings {
        &self.settings
    }

    /// The text of a study without a page, with this page at its old place. What was written since stays.
    pub fn put_back(&self, text: &str) -> Result<String, StudyError> {
        let mut document = document(text)?;
        if let Some(place) = self.item.as_table().and_then(Table::position) {
            make_room(&mut document, place);
        }
        document.insert_formatted(&self.key, self.item.clone());
        Ok(with_line_ends_of(text, document.to_string()))
    }
}

/// Moves the tables from this place on down by one.
fn make_room(table: &mut Table, from: isize) {
    fn move_down(table: &mut Table, from: isize) {
        let moved = table.position().map(|place| if place < from { place } else { place + 1 });
        table.set_position(moved);
        make_room(table, from);
    }
    for (_, item) in table.iter_mut() {
        match item {
            Item::Table(inner) => move_down(inner, from),
            Item::ArrayOfTables(all) => all.iter_mut().for_each(|inner| move_down(inner, from)),
            Item::None | Item::Value(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::edited_text;
    use super::*;

    const TEXT: &str = "# Mine.\nname = \"a\"\ntitle = \"A\"\n\n# What they see:\n[page]\naddress = \"task\"\n\
        mask = [\"#diary\"] # never store this\n\n# The old one.\n[camera]\nwidth_px = 800\n\n\
        [[markers]]\nkey = \"1\"\nlabel = \"spoke\"\n\n[[markers]]\nkey = \"2\"\nlabel = \"left\"\n";

    fn without_page(text: &str) -> String {
        let old = Study::parse(text).unwrap();
        edited_text(text, &old, &Study { page: None, ..old.clone() }).unwrap()
    }

    #[test]
    fn a_page_comes_back_to_its_place_with_its_comments() {
        let inline = "name = \"a\"\ntitle = \"A\"\n# What they see:\npage = { address = \"task\" } # beside\n";
        let dotted = "name = \"a\"\ntitle = \"A\"\n# What they see:\npage.address = \"task\" # beside\n";
        for text in [TEXT.to_owned(), TEXT.replace('\n', "\r\n"), inline.to_owned(), dotted.to_owned()] {
            let kept = KeptPage::of(&text, &Study::parse(&text).unwrap()).unwrap();
            let without = without_page(&text);
            assert!(Study::parse(&without).unwrap().page.is_none());
            assert_eq!(kept.put_back(&without).unwrap(), text);
            assert_eq!(kept.settings().address, "task");
        }
        let study = Study::parse(&without_page(TEXT)).unwrap();
        assert!(KeptPage::of(&without_page(TEXT), &study).is_none());
    }

    #[test]
    fn what_was_written_since_stays() {
        let kept = KeptPage::of(TEXT, &Study::parse(TEXT).unwrap()).unwrap();
        let written = without_page(TEXT)
            .replace("# The old one.\n[camera]", "[consent]\ntext = \"Yes?\"\n\n# The new one.\n[camera]")
            .replace("title = \"A\"", "title = \"B\" # better");
        let text = kept.put_back(&written).unwrap();
        for line in
            ["# The new one.\n[camera]", "# better", "text = \"Yes?\"", "# What they see:\n[page]", "# never store"]
        {
            assert!(text.contains(line), "{line}: {text}");
        }
        let (study, page) = (Study::parse(&text).unwrap(), Study::parse(TEXT).unwrap().page);
        assert_eq!((study.title.as_str(), &study.page, study.markers.len()), ("B", &page, 2));
        assert!(kept.put_back("title = ").is_err());
    }
}
