// Package correlate says which alerts are one incident: those of workloads that depend on one another, by a declared map.
package correlate
