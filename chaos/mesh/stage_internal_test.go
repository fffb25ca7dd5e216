package mesh

import (
	"testing"

	"github.com/chaos-mesh/chaos-mesh/api/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestTheStageIsReadFromConditionsAndWish(t *testing.T) {
	run, stop := v1alpha1.RunningPhase, v1alpha1.StoppedPhase
	for name, tt := range map[string]struct {
		wish   v1alpha1.DesiredPhase
		holds  []v1alpha1.ChaosConditionType
		none   bool // no condition at all
		delete bool
		want   stage
	}{
		"nobody has looked at it":                        {none: true, want: unseen},
		"no pod has its labels":                          {wish: run, want: selecting},
		"nothing is injected yet, so all is recovered":   {wish: run, holds: []v1alpha1.ChaosConditionType{v1alpha1.ConditionSelected, v1alpha1.ConditionAllRecovered}, want: injecting},
		"all is injected":                                {wish: run, holds: []v1alpha1.ChaosConditionType{v1alpha1.ConditionSelected, v1alpha1.ConditionAllInjected}, want: injected},
		"its time is over, and it is still there":        {wish: stop, holds: []v1alpha1.ChaosConditionType{v1alpha1.ConditionSelected, v1alpha1.ConditionAllInjected}, want: recovering},
		"its time is over, and it is taken away in part": {wish: stop, holds: []v1alpha1.ChaosConditionType{v1alpha1.ConditionSelected}, want: recovering},
		"its time is over, and it is taken away":         {wish: stop, holds: []v1alpha1.ChaosConditionType{v1alpha1.ConditionSelected, v1alpha1.ConditionAllRecovered}, want: recovered},
		"somebody has paused it":                         {wish: stop, holds: []v1alpha1.ChaosConditionType{v1alpha1.ConditionSelected, v1alpha1.ConditionAllRecovered, v1alpha1.ConditionPaused}, want: paused},
		"it is deleted while it is injected":             {wish: run, holds: []v1alpha1.ChaosConditionType{v1alpha1.ConditionSelected, v1alpha1.ConditionAllInjected}, delete: true, want: removing},
	} {
		t.Run(name, func(t *testing.T) {
			chaos := &v1alpha1.NetworkChaos{}
			chaos.Status.Experiment.DesiredPhase = tt.wish
			if !tt.none {
				chaos.Status.Conditions = []v1alpha1.ChaosCondition{{Type: v1alpha1.ConditionSelected, Status: corev1.ConditionFalse}}
			}
			for _, condition := range tt.holds {
				chaos.Status.Conditions = append([]v1alpha1.ChaosCondition{{Type: condition, Status: corev1.ConditionTrue}}, chaos.Status.Conditions...)
			}
			if tt.delete {
				chaos.DeletionTimestamp = new(metav1.Now())
			}
			if got := stageOf(chaos); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestWhatIsLeftOnAPodIsReadFromItsAccount(t *testing.T) {
	const ours, other = "faultline/network-latency-1", "faultline/other"
	account := func(source, failed string, generation, observed int64) v1alpha1.PodNetworkChaos {
		return v1alpha1.PodNetworkChaos{
			ObjectMeta: metav1.ObjectMeta{Generation: generation},
			Spec:       v1alpha1.PodNetworkChaosSpec{TrafficControls: []v1alpha1.RawTrafficControl{{Source: source}}},
			Status:     v1alpha1.PodNetworkChaosStatus{FailedMessage: failed, ObservedGeneration: observed},
		}
	}
	for name, tt := range map[string]struct {
		told  v1alpha1.PodNetworkChaos
		clean bool
	}{
		"the daemon is still told to do it":  {account(ours, "", 2, 2), false},
		"the daemon has not undone it yet":   {account(other, "", 3, 2), false},
		"the daemon could not undo it":       {account(other, "tc: RTNETLINK answers: No such device", 3, 3), false},
		"only another experiment is on it":   {account(other, "", 3, 3), true},
		"the daemon has undone all of it":    {v1alpha1.PodNetworkChaos{}, true},
		"a rule of iptables is still listed": {v1alpha1.PodNetworkChaos{Spec: v1alpha1.PodNetworkChaosSpec{Iptables: []v1alpha1.RawIptables{{RawRuleSource: v1alpha1.RawRuleSource{Source: ours}}}}}, false},
		"a set of addresses is still listed": {v1alpha1.PodNetworkChaos{Spec: v1alpha1.PodNetworkChaosSpec{IPSets: []v1alpha1.RawIPSet{{RawRuleSource: v1alpha1.RawRuleSource{Source: ours}}}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if left := leftIn(tt.told, ours); (left == "") != tt.clean {
				t.Errorf("left: %q", left)
			}
		})
	}
}
