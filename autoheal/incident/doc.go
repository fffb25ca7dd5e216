// Package incident is the healer's domain: what an incident is, which states it passes through, and the time of
// each stage. It is pure: values in, values out, no clock, no store.
package incident
