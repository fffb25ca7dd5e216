// Package stackconfig renders the configuration of Prometheus, Alertmanager, Loki and Jaeger from templates beside it,
// and knows the flags and the environment each program wants.
//
// The templates are the place to read what the stack does; every address that one of the programs listens on is
// named in its template or its flags, so that nothing is bound by surprise.
package stackconfig
