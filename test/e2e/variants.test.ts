import { testTable } from '../_helpers/table.js'

const conntrack = ['755 /usr/sbin/conntrack']
testTable('v1.24.0', { kubelet: conntrack, 'kube-proxy': conntrack })
