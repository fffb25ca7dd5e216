package supervisor

import (
	"reflect"
	"testing"

	"github.com/faultline-lab/faultline/deploy/local/process"
)

func TestThePlan(t *testing.T) {
	const ready, starting, crashed, stopping = process.Ready, process.Starting, process.Crashed, process.Stopping
	for name, c := range map[string]struct {
		wanted   want
		replicas []have
		next     steps
	}{
		"what is as it should be needs nothing": {
			want{2, "v1"}, []have{{1, "v1", ready}, {2, "v1", ready}}, steps{},
		},
		"missing replicas are added together": {
			want{3, "v1"}, []have{{1, "v1", ready}}, steps{add: []int{2, 3}},
		},
		"a gap is filled with its own ordinal": {
			want{2, "v1"}, []have{{2, "v1", ready}}, steps{add: []int{1}},
		},
		"the highest ordinals go first": {
			want{1, "v1"}, []have{{1, "v1", ready}, {2, "v1", ready}, {3, "v1", crashed}}, steps{remove: []int{2, 3}},
		},
		"scaled to nothing, all go": {
			want{0, "v1"}, []have{{1, "v1", starting}}, steps{remove: []int{1}},
		},
		"a crashed replica is the process's own affair": {
			want{2, "v1"}, []have{{1, "v1", crashed}, {2, "v1", ready}}, steps{},
		},
		"a new version takes the first replica": {
			want{2, "v2"}, []have{{1, "v1", ready}, {2, "v1", ready}}, steps{roll: 1},
		},
		"the second waits while the first is stopping": {
			want{2, "v2"}, []have{{1, "v2", stopping}, {2, "v1", ready}}, steps{},
		},
		"the second waits while the first starts": {
			want{2, "v2"}, []have{{1, "v2", starting}, {2, "v1", ready}}, steps{},
		},
		"the second waits while the first, in its new version, crashes": {
			want{2, "v2"}, []have{{1, "v2", crashed}, {2, "v1", ready}}, steps{},
		},
		"the second follows when the first is ready": {
			want{2, "v2"}, []have{{1, "v2", ready}, {2, "v1", ready}}, steps{roll: 2},
		},
		"a replica that does not serve anyway goes first": {
			want{2, "v2"}, []have{{1, "v1", ready}, {2, "v1", crashed}}, steps{roll: 2},
		},
		"going back takes the broken new one, not the good old one": {
			want{2, "v1"}, []have{{1, "v2", crashed}, {2, "v1", ready}}, steps{roll: 1},
		},
		"a replica that is to go is not given a new version": {
			want{1, "v2"}, []have{{1, "v2", ready}, {2, "v1", ready}}, steps{remove: []int{2}},
		},
		"scaling up comes before the new version goes on": {
			want{2, "v2"}, []have{{1, "v1", ready}}, steps{add: []int{2}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := plan(c.wanted, c.replicas); !reflect.DeepEqual(got, c.next) {
				t.Errorf("got %+v, want %+v", got, c.next)
			}
		})
	}
}

func TestPartsThatCannotWorkAreRefused(t *testing.T) {
	task := noTask
	for name, parts := range map[string][]Part{
		"a need that is no part":      {{Name: "a", Needs: []string{"b"}, Task: task}},
		"a circle":                    {{Name: "a", Needs: []string{"b"}, Task: task}, {Name: "b", Needs: []string{"a"}, Task: task}},
		"a part that needs itself":    {{Name: "a", Needs: []string{"a"}, Task: task}},
		"a name twice":                {{Name: "a", Task: task}, {Name: "a", Task: task}},
		"a part that is nothing":      {{Name: "a"}},
		"a part that is two things":   {{Name: "a", Task: task, Process: &process.Spec{}}},
		"more replicas than allowed":  {{Name: "a", Workload: fakeWorkload(3, 2, "v1")}},
		"a version that there is not": {{Name: "a", Workload: fakeWorkload(1, 2, "v7")}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := validateAll(parts); err == nil {
				t.Error("accepted")
			}
		})
	}
}
