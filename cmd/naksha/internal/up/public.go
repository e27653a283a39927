package up

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/naksha-cloud/naksha/services/gateway"
	"github.com/naksha-cloud/naksha/services/tenant"
)

// loopback is where everything listens that is not for customers.
const loopback = "127.0.0.1"

// Certificate is what customers see: of the gateway, of the workspaces' Postgres, and of S3. The files are read again
// when they change.
type Certificate struct {
	CertFile string // PEM, with the certificates between it and its authority
	KeyFile  string // PEM, mode 0600
	CAFile   string // certificates that customers check it against; empty = the authorities that every system knows
}

// public is how customers reach a platform that shows them a certificate. Its zero value is one for this machine alone.
type public struct {
	host              string // name in the certificate
	cell, primary, dr int    // ports; the servers behind them have others
}

// checkPublic fills in where the platform listens, and refuses to be seen from elsewhere without a certificate.
func (c *Config) checkPublic() error {
	if c.Listen == "" || c.Listen == "localhost" {
		c.Listen = loopback
	}
	ip, err := netip.ParseAddr(c.Listen)
	switch {
	case err != nil:
		return fmt.Errorf("%q is no IP address to listen on: give one of this machine, or 0.0.0.0 for all", c.Listen)
	case (c.TLS.CertFile == "") != (c.TLS.KeyFile == ""):
		return errors.New("--tls-cert and --tls-key go together: give both")
	case c.TLS.CertFile != "":
		return c.checkCertificate()
	case !ip.IsLoopback():
		return fmt.Errorf("listening on %s would show customers' data to the network: give a certificate with --tls-cert and --tls-key, or listen on %s", c.Listen, loopback)
	}
	return nil
}

func (c *Config) checkCertificate() error {
	for _, path := range []*string{&c.TLS.CertFile, &c.TLS.KeyFile, &c.TLS.CAFile} {
		if *path == "" {
			continue
		}
		absolute, err := filepath.Abs(*path) // others read it too, from other working folders
		if err != nil {
			return err
		}
		*path = absolute
	}
	pair, err := tls.LoadX509KeyPair(c.TLS.CertFile, c.TLS.KeyFile)
	if err != nil {
		return fmt.Errorf("--tls-cert and --tls-key: %w", err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return fmt.Errorf("--tls-cert: %w", err)
	}
	if c.PublicHost == "" {
		c.PublicHost = nameIn(leaf)
	}
	switch {
	case time.Now().After(leaf.NotAfter):
		return fmt.Errorf("the certificate %s ended on %s: renew it", c.TLS.CertFile, leaf.NotAfter.Format(time.DateOnly))
	case c.PublicHost == "":
		return fmt.Errorf("the certificate %s names no host but wildcards: say with --public-host where customers connect to", c.TLS.CertFile)
	case leaf.VerifyHostname(c.PublicHost) != nil:
		return fmt.Errorf("the certificate %s does not name %s: give one that does, or another --public-host", c.TLS.CertFile, c.PublicHost)
	}
	return nil
}

// nameIn is the first name of a certificate that can be connected to.
func nameIn(leaf *x509.Certificate) string {
	for _, name := range leaf.DNSNames {
		if !strings.Contains(name, "*") {
			return name
		}
	}
	if len(leaf.IPAddresses) > 0 {
		return leaf.IPAddresses[0].String()
	}
	return ""
}

// shown says whether customers see a certificate of the operator's.
func (p *Platform) shown() bool { return p.config.TLS.CertFile != "" }

// givePortsAway leaves the chosen ports of the cell and the regions to the fronts.
func (p *Platform) givePortsAway() error {
	if !p.shown() {
		return nil
	}
	c := &p.config.Ports
	p.public = public{host: p.config.PublicHost, cell: c.Cell, primary: c.Primary, dr: c.DR}
	c.Cell, c.Primary, c.DR = 0, 0, 0
	for _, port := range []*int{&p.public.cell, &p.public.primary, &p.public.dr} {
		if err := p.pickAt(p.config.Listen, port); err != nil {
			return err
		}
	}
	return nil
}

// fronts end the operator's TLS before the private servers that customers use.
func (p *Platform) fronts() (all []*front, err error) {
	outside := p.config.External
	for _, f := range []struct {
		name     string
		port     int
		target   int
		postgres bool
		outside  bool
	}{
		{"cell", p.public.cell, p.config.Ports.Cell, true, outside.CellURL != ""},
		{"s3-primary", p.public.primary, p.config.Ports.Primary, false, outside.S3.Primary.Endpoint != ""},
		{"s3-dr", p.public.dr, p.config.Ports.DR, false, outside.S3.DR.Endpoint != ""},
	} {
		if f.outside {
			continue
		}
		config, err := p.publicTLS()
		if err != nil {
			return nil, err
		}
		all = append(all, &front{
			name: f.name, listen: p.publicAddress(f.port), target: p.address(f.target), tls: config, postgres: f.postgres, idle: idleWait, log: p.log("up"),
		})
	}
	return all, nil
}

func (p *Platform) startFronts(ctx context.Context) error {
	if !p.shown() {
		return nil
	}
	all, err := p.fronts()
	if err != nil {
		return err
	}
	for _, f := range all {
		if err := f.start(ctx); err != nil {
			return errors.Join(err, p.stopFronts(ctx))
		}
		p.open = append(p.open, f)
	}
	return nil
}

func (p *Platform) stopFronts(context.Context) error {
	for _, f := range p.open {
		f.stop()
	}
	p.open = nil
	return nil
}

// publicAddress is where something listens that customers use.
func (p *Platform) publicAddress(port int) string {
	return net.JoinHostPort(p.config.Listen, strconv.Itoa(port))
}

// publicHost is host:port as customers write it.
func (p *Platform) publicHost(port int) string {
	if !p.shown() {
		return p.address(port)
	}
	return net.JoinHostPort(p.public.host, strconv.Itoa(port))
}

// showTenant tells the tenant service what customers are told.
func (p *Platform) showTenant(c *tenant.Config) {
	if !p.shown() {
		return
	}
	if p.config.External.CellURL == "" {
		c.Cell.Host, c.Cell.Port, c.Cell.CAFile = p.public.host, p.public.cell, p.config.TLS.CAFile
		c.Cell.TLSParameters = "sslmode=verify-full"
		if p.config.TLS.CAFile == "" {
			c.Cell.CAFile = p.config.TLS.CertFile
			c.Cell.TLSParameters += "&sslrootcert=system"
		}
	}
	if p.config.External.S3.Primary.Endpoint == "" {
		c.Regions.Primary.PublicEndpoint = "https://" + p.publicHost(p.public.primary)
	}
	if p.config.External.S3.DR.Endpoint == "" {
		c.Regions.DR.PublicEndpoint = "https://" + p.publicHost(p.public.dr)
	}
}

// showGateway gives the door the operator's certificate, and bounds what strangers take of it.
func (p *Platform) showGateway(c *gateway.Config) {
	c.DoorListen = p.publicAddress(p.config.Ports.Gateway)
	if p.shown() {
		c.MaxConnectionsOfOne = mostOfOne
	}
	c.DoorTLS = gateway.Certificate{CertFile: p.config.TLS.CertFile, KeyFile: p.config.TLS.KeyFile}
}

// show puts what customers are told in place of the private addresses.
func (p *Platform) show(e *Endpoints) {
	if !p.shown() {
		return
	}
	e.CAFile = p.config.TLS.CAFile
	outside := p.config.External
	if outside.CellURL == "" {
		e.Cell = p.publicHost(p.public.cell)
	}
	if outside.S3.Primary.Endpoint == "" {
		e.S3Primary = "https://" + p.publicHost(p.public.primary)
	}
	if outside.S3.DR.Endpoint == "" {
		e.S3DR = "https://" + p.publicHost(p.public.dr)
	}
}
