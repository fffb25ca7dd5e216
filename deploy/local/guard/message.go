package guard

import (
	"syscall"

	"github.com/faultline-lab/faultline/deploy/local/hostproc"
)

// message is one line of JSON from the supervisor to the guard.
type message struct {
	Op     op             `json:"op"`
	ID     hostproc.ID    `json:"id,omitzero"`
	Signal syscall.Signal `json:"signal,omitempty"` // opStarted: what the process gets first
	Path   string         `json:"path,omitempty"`   // opRemove
	Mark   string         `json:"mark,omitempty"`   // opMark
}

type op string

const (
	opStarted op = "started"
	opEnded   op = "ended"
	opRemove  op = "remove" // a file or folder that goes when all processes are gone
	opMark    op = "mark"   // an environment setting that every child carries
)
