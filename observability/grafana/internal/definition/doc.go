// Package definition says what each dashboard asks, one dashboard a file. Rates are taken over $__rate_interval, at least four
// scrapes wide whatever the interval, and before anything is summed, so that a restarted replica's counter reset is seen.
package definition
