package kube

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

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

// Announced is a remedy whose end is told by events on the Deployment and on the pod that it was about.
func (c *Control) Announced(r remedy.Remedy) remedy.Remedy { return announced{r, c} }

type announced struct {
	remedy.Remedy
	control *Control
}

func (a announced) Apply(ctx context.Context, application remedy.Application) remedy.Effect {
	effect := a.Remedy.Apply(ctx, application)
	reason := map[string]string{incident.ResultDone: Restarted, incident.ResultFailed: Failed}[effect.Result]
	if reason != "" && ctx.Err() == nil {
		a.control.announceEnd(ctx, reason, application.Target, effect)
	}
	return effect
}

// announceEnd tells of the end of a restart. The pod itself is gone by then: its events are found by name and UID.
func (c *Control) announceEnd(ctx context.Context, reason string, target incident.Target, effect remedy.Effect) {
	uid, _, _ := strings.Cut(target.Is, ".")
	about := []runtime.Object{&corev1.ObjectReference{
		Kind: "Pod", APIVersion: "v1", Namespace: c.cfg.Namespace, Name: target.Name, UID: types.UID(uid),
	}}
	if d, err := c.deployment(ctx, target.Workload); err == nil {
		about = append(about, d)
	}
	c.announce(reason, fmt.Sprintf("restart of %s: %s", target.Name, effect.Detail), about...)
}
