package kind

import (
	"fmt"
)

// standing is whose a cluster is that is there already.
type standing int

const (
	ours     standing = iota // used, and deleted by `down`
	halfMade                 // ours, killed while being made: deleted
	broken                   // ours, and it does not answer
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
func (f found) judge(root string) (standing, error) {
	elsewhere := fmt.Sprintf("choose another name with %s=NAME, or take it away yourself: `docker rm -f -v %s`", clusterVariable, f.node.Name)
	switch {
	case f.marker != nil && f.marker.belongs(root):
		return ours, nil
	case f.marker != nil:
		return ours, fmt.Errorf("kind cluster %s belongs to the checkout %s: run `make down` there, or choose another name with %s=NAME "+
			"(and other ports)", f.cluster, f.marker.Checkout, clusterVariable)
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
