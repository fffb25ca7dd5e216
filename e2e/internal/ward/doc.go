// Package ward is a running stack in the hands of a test that does to the healer what no study does: kills it at a chosen
// moment, hands it other playbooks, takes its senses away.
package ward
