// Package kubernetes is the stack on Kubernetes: kustomize base and overlays, what is generated for them, and how they are
// rendered, applied and waited for.
//
// The YAML is the place to read what runs. Generated are only the files that the local stack has too (alert rules and the
// configuration and flags of Prometheus, Alertmanager, Loki and Jaeger), so that there is one of each and no copy.
package kubernetes
