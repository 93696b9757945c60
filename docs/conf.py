"""The site's settings: `make docs` builds it into build/docs."""

import tessera

project = "Tessera"
version = release = tessera.__version__
author = "the authors of Tessera"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["images/*"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
html_theme = "alabaster"
html_theme_options = {"description": "Small, imbalanced image datasets, compared."}
html_sidebars = {"**": ["about.html", "navigation.html", "searchbox.html"]}
html_copy_source = False
html_show_sphinx = False
