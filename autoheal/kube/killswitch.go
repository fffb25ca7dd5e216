package kube

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/faultline-lab/faultline/autoheal/guard"
)

// switchTimeout bounds one look at the kill switch, which is asked for before every single action.
const switchTimeout = time.Second

// KillSwitch reads the switch from a ConfigMap: it is on while that exists, whatever is in it. Where nobody can tell, it
// is unknown, which stops the healer as well.
func (c *Control) KillSwitch(name string) func() guard.Switch {
	return func() guard.Switch {
		ctx, cancel := context.WithTimeout(context.Background(), switchTimeout)
		defer cancel()
		_, err := c.cfg.Client.CoreV1().ConfigMaps(c.cfg.Namespace).Get(ctx, name, metav1.GetOptions{})
		switch {
		case err == nil:
			return guard.SwitchOn
		case apierrors.IsNotFound(err):
			return guard.SwitchOff
		}
		return guard.SwitchUnknown
	}
}
