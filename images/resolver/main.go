// Package main is CoreDNS with what the platform's resolver needs, and nothing that forwards.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "corral.invalid/resolver/allow"
	_ "corral.invalid/resolver/budget"
	_ "corral.invalid/resolver/journal"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
	_ "github.com/coredns/coredns/plugin/timeouts"
)

func main() {
	// The order in which a query passes them: what is beyond a tenant's budget is counted, and
	// neither written down nor looked at.
	dnsserver.Directives = []string{
		"reload", "timeouts", "bind", "health", "ready", "prometheus", "errors",
		"budget", "journal", "allow",
	}
	coremain.Run()
}
