package kind

import (
	"fmt"
)

// standing is whose a cluster is that is there already.
type standing int

const (
	ours      standing = iota // used, and deleted by `down`
	abandoned                 // of a checkout of this machine that is gone: used, which makes it ours; `down` leaves it
	halfMade                  // ours, killed while being made: deleted
	broken                    // ours, and it does not answer
)

// found is a cluster that is there already, and all that tells whose it is.
type found struct {
	cluster string
	node    machine
	known   record
	marker  *Marker // nil: it has none, or it did not say
	silent  error   // why its API server could not be asked
}

// judge says whose the cluster is. Of one that is not this checkout's, or of which that cannot be told, nothing may be
// touched: it returns an error that says what to do.
func (f found) judge(here place) (standing, error) {
	elsewhere := fmt.Sprintf("choose another name with %s=NAME, or take it away yourself: %#q", clusterVariable, f.byHand())
	switch {
	case f.marker != nil:
		return f.marked(here)
	case f.known.halfMade(f.cluster, f.node):
		return halfMade, nil
	case f.silent == nil:
		return ours, fmt.Errorf("there is a kind cluster called %s already, and it is none of ours (it has no ConfigMap %s/%s): %s",
			f.cluster, markerNamespace, markerName, elsewhere)
	case f.known.made(f.cluster, f.node):
		return broken, nil
	default:
		return ours, fmt.Errorf("there is a kind cluster called %s already, and whether it is ours cannot be told, because it does not answer (%w): "+
			"start it (`docker start %s`), or %s", f.cluster, f.silent, f.node.Name, elsewhere)
	}
}

// marked judges a cluster that says whose it is. The record outlives what the machine calls itself, and the checkout's move
// to another folder.
func (f found) marked(here place) (standing, error) {
	whose, made := f.marker.at(), f.known.made(f.cluster, f.node)
	switch {
	case whose == here, made && (whose.root == here.root || whose.gone()):
		return ours, nil
	case whose.machine != here.machine:
		return ours, fmt.Errorf("kind cluster %s belongs to the checkout %s, which cannot be seen from here: run `make down` there, "+
			"choose another name with %s=NAME (and other ports), or, if that checkout is gone, take the cluster away yourself: `%s`",
			f.cluster, whose, clusterVariable, f.byHand())
	case whose.gone():
		return abandoned, nil
	default:
		return ours, fmt.Errorf("kind cluster %s belongs to the checkout %s: run `make down` there, or choose another name with %s=NAME "+
			"(and other ports)", f.cluster, whose, clusterVariable)
	}
}

// byHand is the command that deletes the cluster whoever it belongs to.
func (f found) byHand() string { return "docker rm -f -v " + f.node.Name }
