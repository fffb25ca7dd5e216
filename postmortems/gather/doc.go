// Package gather asks Prometheus, Jaeger and Loki for what a postmortem shows of the time around an incident. A source
// that is missing, fails or has nothing left is noted as unknown with its reason, and never stops the others.
package gather
