//! The stylesheet, the script and the icon, inside the binary, under names that change with them.

use std::sync::LazyLock;

/// A file that pages refer to.
#[derive(Debug)]
pub struct Asset {
    /// What it is called in pages: `app-1f2e3d4c.css`. The middle is a hash of the content, so it may
    /// be kept for ever.
    pub name: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Its content.
    pub content: &'static [u8],
}

/// Where the server answers with assets.
pub const PREFIX: &str = "/assets/";

static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("app", "css", "text/css; charset=utf-8", include_bytes!("../assets/app.css"))
});
static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("app", "js", "text/javascript; charset=utf-8", include_bytes!("../assets/app.js"))
});
static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("icon", "svg", "image/svg+xml", include_bytes!("../assets/icon.svg"))
});

impl Asset {
    fn new(
        stem: &str,
        extension: &str,
        content_type: &'static str,
        content: &'static [u8],
    ) -> Self {
        let hash = blake3::hash(content).to_hex();
        Self { name: format!("{stem}-{}.{extension}", &hash[..12]), content_type, content }
    }

    /// The address of the asset.
    pub fn url(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }
}

/// The stylesheet of every page.
pub fn style() -> &'static Asset {
    &STYLE
}

/// The script of every page.
pub fn script() -> &'static Asset {
    &SCRIPT
}

/// The icon of the product.
pub fn icon() -> &'static Asset {
    &ICON
}

/// Finds an asset by its name in an address.
pub fn find(name: &str) -> Option<&'static Asset> {
    [style(), script(), icon()].into_iter().find(|asset| asset.name == name)
}
