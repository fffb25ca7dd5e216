// Package loadgen is the customers of the shop: an open loop that sends at a constant rate whatever the answers do,
// never retries, and counts latency from the intended send time, so that neither a stalled server nor a stalled client
// can hide (no coordinated omission). Its per-second SLI decides whether a fault is over.
//
// The pure core (schedule, plan, book) knows neither HTTP nor the clock; Generator drives it, shop and api are HTTP.
package loadgen
