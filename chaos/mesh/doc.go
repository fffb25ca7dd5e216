// Package mesh carries faults by Chaos Mesh: it translates an experiment into one Chaos Mesh resource, applies that to a
// cluster, watches what Chaos Mesh makes of it, and takes it away again.
package mesh
