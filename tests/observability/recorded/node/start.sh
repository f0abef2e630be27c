#!/bin/sh
export PATH=/usr/bin:/usr/sbin:/bin:/sbin
mount -t proc p /proc; mount -t sysfs s /sys; mkdir -p /dev/pts /dev/shm /dev/mqueue; mount -t devpts d /dev/pts; mount -t tmpfs t /dev/shm; mount -t tmpfs t /run; mount -t tmpfs t /tmp; mount -t cgroup2 none /sys/fs/cgroup; mount -t mqueue q /dev/mqueue
mount --make-rshared /
mount -o remount,rw /
hostname node-1; ip link set lo up
for m in virtio_net overlay bridge veth loop; do modprobe $m; done
ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2
echo 1 > /proc/sys/net/ipv4/ip_forward
mount -t tmpfs -o size=64m claim /mnt/claim
mkdir -p /sys/fs/cgroup/system; for c in cpu memory pids io cpuset; do echo +$c > /sys/fs/cgroup/cgroup.subtree_control; done
mkdir -p /sys/fs/cgroup/system/containerd /sys/fs/cgroup/system/kubelet /run/containerd
within() { c=$1; shift; sh -c 'echo $$ > /sys/fs/cgroup/system/'$c'/cgroup.procs; exec "$@"' x "$@"; }
telnetd -l /bin/sh -p 2323 &
(while :; do within containerd containerd >> /var/log/containerd.log 2>&1; sleep 1; done) &
i=0; until ctr version >/dev/null 2>&1; do sleep 0.3; done
for f in /images/*.tar; do ctr -n k8s.io images import --local $f || ctr -n k8s.io images import $f; done
ctr -n k8s.io images ls
[ -x /usr/bin/node_exporter ] && node_exporter > /var/log/node_exporter.log 2>&1 &
(while :; do within kubelet kubelet --config /etc/kubernetes/kubelet.yaml --kubeconfig /etc/kubernetes/kubeconfig --hostname-override node-1 --node-ip 10.0.2.15 >> /var/log/kubelet.log 2>&1; sleep 1; done) &
echo node started
while :; do wait; sleep 5; done
