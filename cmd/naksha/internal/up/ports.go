package up

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/naksha-cloud/naksha/pkg/local"
)

// reservePorts picks the ports that were left open and looks at the others: every taken one is found before anything
// heavy starts. What is picked stays reserved, so that a service or server finds it free again after its death.
func (p *Platform) reservePorts(ctx context.Context) error {
	err := errors.Join(p.pickPorts(), p.checkPorts())
	if err != nil {
		return errors.Join(err, p.releasePorts(ctx))
	}
	return nil
}

func (p *Platform) pickPorts() error {
	if err := p.givePortsAway(); err != nil {
		return err
	}
	c := &p.config.Ports
	if err := p.pickAt(p.config.Listen, &c.Gateway); err != nil {
		return err
	}
	for _, port := range []*int{
		&c.NATS, &c.Platform, &c.Cell, &c.Primary, &c.PrimaryIAM, &c.DR, &c.DRIAM, &c.Alerting, &c.Admin,
	} {
		if err := p.pick(port); err != nil {
			return err
		}
	}
	p.servicePorts, p.adminPorts = map[string]int{}, map[string]int{}
	for _, name := range Services {
		for _, ports := range []map[string]int{p.servicePorts, p.adminPorts} {
			port := 0
			if err := p.pick(&port); err != nil {
				return err
			}
			ports[name] = port
		}
	}
	return nil
}

// pick fills in a port of 0 for something private.
func (p *Platform) pick(port *int) error { return p.pickAt(p.host(), port) }

func (p *Platform) pickAt(host string, port *int) error {
	if *port != 0 {
		return nil
	}
	free, held, err := reserve(host)
	if err != nil {
		return err
	}
	*port, p.reserved = free, append(p.reserved, held)
	return nil
}

// listener is a port that this start will listen on, and the flag that chooses another.
type listener struct {
	host string
	port int
	flag string
	none bool // something outside has its place
}

func (p *Platform) listeners() []listener {
	c, host, outside := p.config.Ports, p.host(), p.config.External
	all := []listener{
		{p.config.Listen, c.Gateway, "--gateway-port", false},
		{host, c.NATS, "--nats-port", outside.NATS.URL != ""},
		{host, c.Platform, "--platform-port", outside.DatabaseURL != ""},
		{host, c.Cell, "--cell-port", outside.CellURL != ""},
		{host, c.Primary, "--s3-primary-port", outside.S3.Primary.Endpoint != ""},
		{host, c.PrimaryIAM, "--s3-primary-iam-port", outside.S3.Primary.Endpoint != ""},
		{host, c.DR, "--s3-dr-port", outside.S3.DR.Endpoint != ""},
		{host, c.DRIAM, "--s3-dr-iam-port", outside.S3.DR.Endpoint != ""},
		{host, c.Alerting, "--alerting-port", false},
		{host, c.Admin, "--admin-port", false},
	}
	if p.shown() {
		all = append(all, listener{p.config.Listen, p.public.cell, "--cell-port", outside.CellURL != ""},
			listener{p.config.Listen, p.public.primary, "--s3-primary-port", outside.S3.Primary.Endpoint != ""},
			listener{p.config.Listen, p.public.dr, "--s3-dr-port", outside.S3.DR.Endpoint != ""})
	}
	return all
}

// checkPorts names every port that cannot be had, one error each.
func (p *Platform) checkPorts() error {
	var errs []error
	flags := map[string]string{} // by host:port
	for _, l := range p.listeners() {
		address := net.JoinHostPort(l.host, strconv.Itoa(l.port))
		switch {
		case l.none:
		case l.port < 0 || l.port > 65535:
			errs = append(errs, fmt.Errorf("%s is %d: give 1 to 65535, or 0 for a free one", l.flag, l.port))
		case l.port != 0 && flags[address] != "":
			errs = append(errs, fmt.Errorf("%s and %s are both %d: give each a port of its own", flags[address], l.flag, l.port))
		default:
			flags[address] = l.flag
			errs = append(errs, local.CheckPort(l.host, l.port, l.flag))
		}
	}
	return errors.Join(errs...)
}

func (p *Platform) releasePorts(context.Context) error {
	for _, r := range p.reserved {
		r.release()
	}
	p.reserved = nil
	return nil
}
