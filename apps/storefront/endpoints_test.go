package storefront_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/faultline-lab/faultline/apps/storefront"
)

// cluster is an API server that has EndpointSlices: what it is asked comes out of asked, and what it answers is put in.
type cluster struct {
	lists   chan listed
	watches chan *watch.FakeWatcher
	asked   chan metav1.ListOptions
}

type listed struct {
	items []discoveryv1.EndpointSlice
	err   error
}

func newCluster() *cluster {
	return &cluster{lists: make(chan listed), watches: make(chan *watch.FakeWatcher), asked: make(chan metav1.ListOptions, 100)}
}

func (c *cluster) List(ctx context.Context, options metav1.ListOptions) (*discoveryv1.EndpointSliceList, error) {
	c.asked <- options
	select {
	case answer := <-c.lists:
		return &discoveryv1.EndpointSliceList{ListMeta: metav1.ListMeta{ResourceVersion: "7"}, Items: answer.items}, answer.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *cluster) Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	c.asked <- options
	select {
	case watcher := <-c.watches:
		return watcher, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// followed is a run of Endpoints over a cluster.
type followed struct {
	*cluster
	sets chan []storefront.Backend
	log  *safeBuffer
}

func follow(t *testing.T) *followed {
	t.Helper()
	f := &followed{cluster: newCluster(), sets: make(chan []storefront.Backend), log: &safeBuffer{}}
	ctx, cancel := context.WithCancel(t.Context())
	endpoints, err := storefront.NewEndpoints(storefront.EndpointsConfig{
		Slices: f.cluster, Service: "orders", Retry: time.Millisecond,
		Set: func(_ context.Context, backends []storefront.Backend) {
			select {
			case f.sets <- backends:
			case <-ctx.Done():
			}
		},
		Log: slog.New(slog.NewTextHandler(f.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- endpoints.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := take(t, ended); err != nil {
			t.Errorf("ended with %v", err)
		}
	})
	return f
}

// watching answers a list and then gives the watch that follows it.
func (f *followed) watching(t *testing.T, items ...discoveryv1.EndpointSlice) *watch.FakeWatcher {
	t.Helper()
	give(t, f.lists, listed{items: items})
	f.expect(t, namesIn(items)...)
	watcher := watch.NewFake()
	give(t, f.watches, watcher)
	return watcher
}

// expect waits for the next backends and compares their pods.
func (f *followed) expect(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for _, backend := range take(t, f.sets) {
		got = append(got, backend.Instance)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("backends %v, want %v", got, want)
	}
}

func namesIn(items []discoveryv1.EndpointSlice) (names []string) {
	for _, item := range items {
		for _, endpoint := range item.Endpoints {
			names = append(names, endpoint.TargetRef.Name)
		}
	}
	return names
}

// pods is a slice of ready pods.
func pods(name string, instances ...string) discoveryv1.EndpointSlice {
	made := discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: "orders"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: new("http"), Port: new(int32(8080)), Protocol: new(corev1.ProtocolTCP)}},
	}
	for _, instance := range instances {
		made.Endpoints = append(made.Endpoints, discoveryv1.Endpoint{
			// The address of orders-3 is 10.0.0.3.
			Addresses:  []string{"10.0.0." + instance[len(instance)-1:]},
			Conditions: discoveryv1.EndpointConditions{Ready: new(true)},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Name: instance},
		})
	}
	return made
}

func TestEachChangeOfTheEndpointsReachesTheBalancer(t *testing.T) {
	f := follow(t)
	watcher := f.watching(t, pods("orders-x", "orders-1", "orders-2"))
	if asked := <-f.asked; asked.LabelSelector != "kubernetes.io/service-name=orders" {
		t.Errorf("asked for %q", asked.LabelSelector)
	}
	if asked := <-f.asked; asked.LabelSelector != "kubernetes.io/service-name=orders" || asked.ResourceVersion != "7" {
		t.Errorf("watched %+v, want what follows the list", asked)
	}
	first, second := pods("orders-x", "orders-2"), pods("orders-y", "orders-3")
	watcher.Modify(&first)
	f.expect(t, "orders-2")
	watcher.Add(&second)
	f.expect(t, "orders-2", "orders-3")
	watcher.Delete(&first)
	f.expect(t, "orders-3")
}

func TestAWatchThatEndsBeginsAnewWithAFreshList(t *testing.T) {
	expired := apierrors.NewResourceExpired("too old").Status()
	odd := pods("orders-x", "orders-9")
	for name, end := range map[string]func(*watch.FakeWatcher){
		"by its own bound":              (*watch.FakeWatcher).Stop,
		"because it fell behind":        func(w *watch.FakeWatcher) { w.Error(&expired) },
		"by an error":                   func(w *watch.FakeWatcher) { w.Error(&metav1.Status{Message: "broken"}) },
		"by something that is no slice": func(w *watch.FakeWatcher) { w.Add(&corev1.Pod{}) },
		"after a change":                func(w *watch.FakeWatcher) { w.Add(&odd); w.Stop() },
	} {
		t.Run(name, func(t *testing.T) {
			f := follow(t)
			watcher := f.watching(t, pods("orders-x", "orders-1"))
			go end(watcher)
			if name == "after a change" {
				f.expect(t, "orders-9")
			}
			f.watching(t, pods("orders-x", "orders-2"))
		})
	}
}

func TestWhileTheAPIServerIsAwayTheLastEndpointsHoldAndTheLogSaysSoOnce(t *testing.T) {
	f := follow(t)
	f.watching(t, pods("orders-x", "orders-1")).Stop()
	for range 3 {
		give(t, f.lists, listed{err: errors.New("connection refused")})
	}
	f.watching(t, pods("orders-x", "orders-1", "orders-2"))
	if log := f.log.String(); strings.Count(log, "keeping the replicas known so far") != 1 || !strings.Contains(log, "connection refused") {
		t.Errorf("the log:\n%s", log)
	}
}

func TestTheFirstListIsThereBeforeTheRunAndItsAbsenceIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		answer listed
		want   []string
		log    string
	}{
		"a list is taken":                   {listed{items: []discoveryv1.EndpointSlice{pods("orders-x", "orders-1")}}, []string{"orders-1"}, ""},
		"a Service that is not there":       {listed{}, nil, "is there such a Service"},
		"a Service whose pods are starting": {listed{items: []discoveryv1.EndpointSlice{pods("orders-x")}}, nil, ""},
		"an API server that cannot be asked": {
			listed{err: apierrors.NewForbidden(discoveryv1.Resource("endpointslices"), "", errors.New("cannot list"))},
			[]string{"untouched"},
			"cannot list",
		},
	} {
		t.Run(name, func(t *testing.T) {
			api, log, got := newCluster(), &safeBuffer{}, []string{"untouched"}
			endpoints, err := storefront.NewEndpoints(storefront.EndpointsConfig{
				Slices: api, Service: "orders", Log: slog.New(slog.NewTextHandler(log, nil)),
				Set: func(_ context.Context, backends []storefront.Backend) {
					got = nil
					for _, backend := range backends {
						got = append(got, backend.Instance)
					}
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			go func() { api.lists <- test.answer }()
			endpoints.Poll(t.Context())
			if !slices.Equal(got, test.want) {
				t.Errorf("backends %v, want %v", got, test.want)
			}
			if said := log.String(); !strings.Contains(said, test.log) || (test.log == "") != (said == "") {
				t.Errorf("the log says %q, want %q in it", said, test.log)
			}
		})
	}
}

func TestEndpointsWithoutWhatTheyNeedAreRefused(t *testing.T) {
	whole := storefront.EndpointsConfig{Slices: newCluster(), Service: "orders", Set: func(context.Context, []storefront.Backend) {}, Log: quiet()}
	for name, spoil := range map[string]func(*storefront.EndpointsConfig){
		"slices": func(c *storefront.EndpointsConfig) { c.Slices = nil }, "service": func(c *storefront.EndpointsConfig) { c.Service = "" },
		"set": func(c *storefront.EndpointsConfig) { c.Set = nil }, "log": func(c *storefront.EndpointsConfig) { c.Log = nil },
	} {
		config := whole
		spoil(&config)
		if _, err := storefront.NewEndpoints(config); err == nil {
			t.Errorf("without %s: no error", name)
		}
	}
}

// patience is the longest that a test waits for what must come.
const patience = 30 * time.Second

func give[T any](t *testing.T, to chan<- T, value T) {
	t.Helper()
	select {
	case to <- value:
	case <-time.After(patience):
		t.Fatalf("nobody took the %T", value)
	}
}

func take[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		t.Fatalf("no %T came", *new(T))
		panic("unreachable")
	}
}

// safeBuffer is a buffer that may be read while it is written to.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

var _ io.Writer = (*safeBuffer)(nil)

func (b *safeBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(text)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
