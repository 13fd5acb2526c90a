// Follows the news: a page that shows what changes says so in data-live, and is fetched again when the ledger grew.
"use strict";
