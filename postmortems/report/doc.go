// Package report turns an incident's record and the telemetry around it into a Markdown postmortem. It is pure: values
// in, Markdown out, no clock, no network, no file.
//
// Every figure is cited: the appendix lists the query, the source and the time range that it came from. What could not
// be had is written as unknown, with the reason; it is never left out and never zero.
package report
