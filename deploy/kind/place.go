package kind

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
)

// place is where a checkout is. One engine may serve several machines, containers and mount namespaces: a path alone does
// not name a checkout, and a path that is not there may well be there for others.
type place struct {
	root    string
	machine string
}

// placeOf is the place of a checkout of this process's machine. What a system does not tell is left out; the name of the
// host every one tells.
func placeOf(root string) place {
	host, _ := os.Hostname()
	id, _ := os.ReadFile("/etc/machine-id")
	mounts, _ := os.Readlink("/proc/self/ns/mnt")
	return place{root: root, machine: strings.Join(strings.Fields(host+" "+string(id)+" "+mounts), " ")}
}

// mark is a path in the node of a cluster that was made from this place. It is bound to something harmless, so that the
// engine tells of it whatever state the node is in, and nobody else's cluster has it.
func (p place) mark() string {
	sum := sha256.Sum256([]byte(p.machine + "\n" + p.root))
	return "/etc/faultline/made-by-" + hex.EncodeToString(sum[:8])
}

// gone says that the checkout is not there any more. Only its own machine can tell.
func (p place) gone() bool {
	_, err := os.Stat(filepath.Join(p.root, "go.work"))
	return os.IsNotExist(err)
}

func (p place) String() string {
	host, _, _ := strings.Cut(p.machine, " ")
	return p.root + " on " + cmp.Or(host, "an unknown machine")
}
