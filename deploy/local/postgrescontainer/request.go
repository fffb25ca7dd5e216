package postgrescontainer

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"

	"github.com/faultline-lab/faultline/deploy/airgap/docker"
	"github.com/faultline-lab/faultline/deploy/local/postgres"
)

const (
	// serverPort is the server's in its container.
	serverPort = "5432/tcp"
	loopback   = "127.0.0.1"
	// serverMajor is what Options.Image promises.
	serverMajor = 18
)

// request describes the container. On an engine of this machine only we can reach the server.
func request(opts Options, password, folder string, here bool) []testcontainers.ContainerCustomizer {
	request := []testcontainers.ContainerCustomizer{
		testcontainers.WithEnv(map[string]string{
			"POSTGRES_PASSWORD":    password,
			"POSTGRES_INITDB_ARGS": strings.Join(postgres.InitArguments(serverMajor), " "),
		}),
		testcontainers.WithCmd(postgres.ContainerArguments(postgres.Config{
			MaxConnections: cmp.Or(opts.MaxConnections, postgres.TestConnections),
		})...),
		testcontainers.WithExposedPorts(serverPort),
		testcontainers.WithLabels(map[string]string{makerLabel: docker.Maker(folder)}),
		testcontainers.WithLogger(log.NewNoopLogger()),
	}
	if here {
		request = append(request, testcontainers.WithHostConfigModifier(onLoopback))
	}
	return request
}

// onLoopback publishes the port on loopback alone.
func onLoopback(host *container.HostConfig) {
	host.PortBindings = network.PortMap{
		network.MustParsePort(serverPort): {{HostIP: netip.MustParseAddr(loopback)}},
	}
}
