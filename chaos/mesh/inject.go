package mesh

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// errTaken says that somebody else has deleted the resource.
var errTaken = errors.New("somebody else has deleted it meanwhile")

// awaitInjected waits until Chaos Mesh says that the fault is on all of its targets, and reads the resource.
func (c *Client) awaitInjected(ctx context.Context, resource Resource) error {
	bounded, cancel := context.WithTimeout(ctx, c.config.InjectWithin)
	defer cancel()
	err := c.every(bounded, func() (bool, error) {
		err := c.get(bounded, resource)
		switch {
		case gone(err):
			return true, errTaken
		case err != nil:
			return false, err
		}
		switch stageOf(resource) {
		case injected:
			return true, nil
		case removing:
			return true, errTaken
		case recovering, recovered:
			return true, errors.New("its duration is over before it was injected: the experiment is shorter than Chaos Mesh is slow")
		default:
			return false, nil
		}
	})
	switch {
	case err == nil:
		return nil
	case ctx.Err() == nil && bounded.Err() != nil:
		return fmt.Errorf("%s was not injected within %s: %s (%w)", describe(resource), c.config.InjectWithin, why(resource), err)
	default:
		return fmt.Errorf("%s was not injected: %w", describe(resource), err)
	}
}

// why says what is known of a resource that does not come to be injected, and what to do.
func why(resource Resource) string {
	at := stageOf(resource)
	switch {
	case len(failures(resource)) > 0:
		return fmt.Sprintf("%s: %s", at, strings.Join(failures(resource), "; "))
	case at == unseen:
		return fmt.Sprintf("%s: is its controller running? `kubectl --namespace chaos-mesh get pods` tells", at)
	case at == selecting:
		return fmt.Sprintf("%s: are there pods with its labels, and may Chaos Mesh reach the namespace (enableFilterNamespace)? "+
			"docs/chaos-mesh.md has more", at)
	}
	return string(at)
}
