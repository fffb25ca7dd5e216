// Package verify proves a heal by the client-facing SLI at the edge: storefront's own series, read from storefront itself.
//
// It takes no part in the traffic: a synthetic probe of the journey would place real orders, so there is none.
package verify
