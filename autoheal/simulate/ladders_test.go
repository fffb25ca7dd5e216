package simulate

import (
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/remedy"
)

// ladders is the playbook of the simulation: the remedies of the built-in one, held for less long, so that a run has an end.
func ladders(limits guard.Limits) (playbook.Playbook, error) {
	return playbook.Parse("the simulated playbook", []byte(`
version: 2
causes:
  connection-leak:
    ladder:
      - {remedy: restart-replicas, timeout: 15s, verify: {readings: 3, within: 15s}}
      - {remedy: roll-back, timeout: 30s, verify: {readings: 3, within: 15s}}
  bad-release:
    ladder:
      - {remedy: roll-back, timeout: 30s, verify: {readings: 3, within: 15s}}
      - {remedy: shift-traffic, timeout: 30s, verify: {readings: 3, within: 15s}, hold: {ttl: 15s, at_most: 90s}}
  lock-contention:
    ladder:
      - {remedy: end-session, timeout: 5s, verify: {readings: 3, within: 10s}}
  slow-query:
    ladder:
      - {remedy: cancel-query, timeout: 5s, verify: {readings: 3, within: 10s}}
      - {remedy: end-session, timeout: 5s, verify: {readings: 3, within: 10s}}
  network-latency:
    ladder:
      - {remedy: accept, timeout: 5s, verify: {readings: 3, within: 10s}, hold: {ttl: 15s, at_most: 90s}}
  server-cap:
    ladder:
      - {remedy: end-session, timeout: 5s, verify: {readings: 3, within: 10s}}
  slow-downstream:
    ladder:
      - {remedy: defer-payment, timeout: 5s, verify: {readings: 3, within: 10s}, hold: {ttl: 15s, at_most: 90s}}
      - {remedy: accept, timeout: 5s, verify: {readings: 3, within: 10s}, hold: {ttl: 15s, at_most: 90s}}
  traffic-surge:
    ladder:
      - {remedy: scale-out, with: {by: 2, at_most: 6}, timeout: 15s, verify: {readings: 3, within: 15s}, hold: {ttl: 15s, at_most: 90s}}
      - {remedy: shed, with: {admit: 40}, timeout: 5s, verify: {readings: 3, within: 10s}, hold: {ttl: 15s, at_most: 90s}}
`), playbook.Known{
		Causes: incident.Causes(), Remedies: playbook.Remedies(remedy.Known()), Harmful: guard.Harmful, Limits: limits,
	})
}
