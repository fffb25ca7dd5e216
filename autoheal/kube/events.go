package kube

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
)

// The reasons of events (docs/contracts.md, "On Kubernetes").
const (
	Restarting = "AutohealRestarting"
	Restarted  = "AutohealRestarted"
	Failed     = "AutohealFailed"
	Applied    = "AutohealApplied" // any remedy but a restart
	Undone     = "AutohealUndone"
	Scaled     = "AutohealScaled"
	RolledBack = "AutohealRolledBack"
)

// NewRecorder makes a recorder that writes events in the background; stop ends it. An event that cannot be written is
// dropped: events tell people what was done, the record and the audit prove it.
func NewRecorder(client kubernetes.Interface, namespace string, logger *slog.Logger) (recorder record.EventRecorder, stop func()) {
	broadcaster := record.NewBroadcaster()
	broadcaster.StartRecordingToSink(&typedv1.EventSinkImpl{Interface: client.CoreV1().Events(namespace)})
	broadcaster.StartEventWatcher(func(e *corev1.Event) {
		logger.Debug("event", "reason", e.Reason, "object", e.InvolvedObject.Kind+"/"+e.InvolvedObject.Name, "message", e.Message)
	})
	return broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "autoheal"}), broadcaster.Shutdown
}

func (c *Control) announce(reason, message string, about ...runtime.Object) {
	kind := corev1.EventTypeNormal
	if reason == Failed {
		kind = corev1.EventTypeWarning
	}
	for _, object := range about {
		c.cfg.Recorder.Event(object, kind, reason, message)
	}
}

// discard is the recorder of those who have none.
type discard struct{}

func (discard) Event(runtime.Object, string, string, string)          {}
func (discard) Eventf(runtime.Object, string, string, string, ...any) {}
func (discard) AnnotatedEventf(runtime.Object, map[string]string, string, string, string, ...any) {
}

// Announced is a remedy whose end is told by events on the Deployment, and on the pod where it was about one. It can be undone
// and renewed as far as the remedy itself can.
func (c *Control) Announced(r remedy.Remedy) remedy.Remedy {
	if r.Traits().Harmless {
		return r // nothing happens that would be worth an event
	}
	plain := announced{r, c}
	switch own := r.(type) {
	case remedy.Renewer:
		return announcedRenewer{announcedUndoer{plain, own}, own}
	case remedy.Undoer:
		return announcedUndoer{plain, own}
	}
	return plain
}

type announced struct {
	remedy.Remedy
	control *Control
}

func (a announced) Apply(ctx context.Context, application remedy.Application) remedy.Effect {
	effect := a.Remedy.Apply(ctx, application)
	good := Applied
	if a.Name() == remedy.RestartReplicasName {
		good = Restarted
	}
	a.tell(ctx, good, a.Name(), application.Target, effect)
	return effect
}

type announcedUndoer struct {
	announced
	undoer remedy.Undoer
}

func (a announcedUndoer) Undo(ctx context.Context, application remedy.Application) remedy.Effect {
	effect := a.undoer.Undo(ctx, application)
	a.tell(ctx, Undone, "taking back "+a.Name(), application.Target, effect)
	return effect
}

type announcedRenewer struct {
	announcedUndoer
	renewer remedy.Renewer
}

// Renew tells nothing: it happens every few seconds.
func (a announcedRenewer) Renew(ctx context.Context, application remedy.Application) (time.Time, error) {
	return a.renewer.Renew(ctx, application)
}

// tell tells of the end of a remedy. What was skipped, or broken off because the healer stops, has no end.
func (a announced) tell(ctx context.Context, good, what string, target incident.Target, effect remedy.Effect) {
	reason := map[string]string{incident.ResultDone: good, incident.ResultFailed: Failed}[effect.Result]
	if reason == "" || ctx.Err() != nil {
		return
	}
	about := []runtime.Object{}
	if target.Kind == incident.ReplicaTarget { // a pod may be gone by then: its events are found by name and UID
		uid, _, _ := strings.Cut(target.Is, ".")
		about = append(about, &corev1.ObjectReference{
			Kind: "Pod", APIVersion: "v1", Namespace: a.control.cfg.Namespace, Name: target.Name, UID: types.UID(uid),
		})
	}
	if d, err := a.control.deployment(ctx, target.Workload); err == nil {
		about = append(about, d)
	}
	a.control.announce(reason, fmt.Sprintf("%s of %s: %s", what, target.Name, effect.Detail), about...)
}
