package supervisor

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// forward runs do for every part as soon as it is done for all parts that this one needs. The first error ends the
// context of the others and is returned.
func forward(ctx context.Context, parts []Part, do func(context.Context, Part) error) error {
	after := map[string][]string{}
	for _, part := range parts {
		after[part.Name] = part.Needs
	}
	return run(ctx, parts, after, do)
}

// backward runs do for every part as soon as it is done for all parts that need this one.
func backward(ctx context.Context, parts []Part, do func(context.Context, Part) error) error {
	after := map[string][]string{}
	for _, part := range parts {
		for _, need := range part.Needs {
			after[need] = append(after[need], part.Name)
		}
	}
	return run(ctx, parts, after, do)
}

func run(ctx context.Context, parts []Part, after map[string][]string, do func(context.Context, Part) error) error {
	done := map[string]chan struct{}{}
	for _, part := range parts {
		done[part.Name] = make(chan struct{})
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range parts {
		group.Go(func() error {
			for _, name := range after[part.Name] {
				select {
				case <-done[name]:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			if err := do(ctx, part); err != nil {
				return err
			}
			close(done[part.Name])
			return nil
		})
	}
	return group.Wait()
}
