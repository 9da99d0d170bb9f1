//! Pages as files: nobody is signed in, and nothing can be asked.

use ui::Lang;
use ui::page::runs::Runs;

use crate::fixture;

#[test]
fn pages_for_nobody_have_no_forms() {
    for lang in Lang::ALL {
        let shell = fixture::shell_for_nobody(lang);
        let runs = Runs { older: None, ..fixture::runs() };
        for page in
            [fixture::home().draw(&shell), runs.draw(&shell), fixture::run_delivered().draw(&shell)]
        {
            assert!(!page.0.contains("<form"), "{}", page.0);
            assert!(!page.0.contains("csrf"));
        }
    }
}
