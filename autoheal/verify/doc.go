// Package verify proves a heal by the client-facing SLI at the edge: storefront's own series, read from storefront itself. Where
// nobody buys, a Probe places synthetic checkouts, which the edge counts like any other.
package verify
