package kind

import (
	"context"
	"errors"
	"strings"

	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// Known says whether the checkout remembers a cluster, running or half made. It asks nobody.
func Known(paths folders.Folders) (bool, error) {
	at := filesOf(paths)
	name, err := at.recorded()
	if err != nil || name != "" {
		return name != "", err
	}
	return at.onKind()
}

// Own names the cluster of this checkout: the one that it remembers, else one that the engine has and that was made here,
// for example when .faultline was deleted. Without one, or without an engine to ask, it returns "".
func Own(ctx context.Context, paths folders.Folders) (string, error) {
	at := filesOf(paths)
	name, err := at.recorded()
	if err != nil || name != "" {
		return name, err
	}
	here := placeOf(paths.Root)
	bounded, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	made, err := marked(bounded, here.mark())
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil {
		return "", nil // no engine: nothing that could be taken away
	}
	for _, name := range made {
		there, err := find(ctx, name, at, false)
		if err != nil {
			return "", err
		}
		// Another checkout may have taken it over while this one was gone.
		if there != nil && (there.marker == nil || there.marker.at() == here) {
			return name, nil
		}
	}
	return "", nil
}

// recorded is the name of the cluster that this checkout remembers, "" when it remembers none.
func (f files) recorded() (string, error) {
	known, err := readRecord(f.record)
	if err != nil || known.Cluster != "" {
		return known.Cluster, err
	}
	stack, err := endpoints.Read(f.Stack)
	if errors.Is(err, endpoints.ErrNotRunning) {
		return "", nil
	}
	if err != nil || stack.Target != endpoints.Kind || stack.Kubernetes == nil {
		return "", err
	}
	return strings.TrimPrefix(stack.Kubernetes.Context, contextName("")), nil
}

// onKind says whether the stack that the checkout remembers is on kind.
func (f files) onKind() (bool, error) {
	stack, err := endpoints.Read(f.Stack)
	if errors.Is(err, endpoints.ErrNotRunning) {
		return false, nil
	}
	return stack.Target == endpoints.Kind, err
}
