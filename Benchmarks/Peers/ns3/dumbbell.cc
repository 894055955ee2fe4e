// The dumbbell of `martlet bench lab`, in ns-3: N senders - router - bottleneck - router - N receivers, with TCP bulk flows
// or datagrams at a constant rate. One JSON object on standard output.
//
// Usage: dumbbell tcp|udp pairs access-rate access-delay-us rate delay-us queue-frames seconds [datagram-rate]
//
// A hop is a frame that a device has received over a link. Time is the processor time of Simulator::Run alone.

#include <ns3/applications-module.h>
#include <ns3/core-module.h>
#include <ns3/internet-module.h>
#include <ns3/network-module.h>
#include <ns3/point-to-point-module.h>
#include <ns3/traffic-control-helper.h>
#include <ns3/traffic-control-layer.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

using namespace ns3;

static uint64_t hops = 0;
static uint64_t drops = 0;
static uint64_t bottleneckFrames = 0;

static void
Delivered(Ptr<const Packet>)
{
    hops += 1;
}

static void
Crossed(Ptr<const Packet>)
{
    hops += 1;
    bottleneckFrames += 1;
}

static void
Dropped(Ptr<const Packet>)
{
    drops += 1;
}

static double
ProcessorSeconds()
{
    timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

int
main(int argc, char** argv)
{
    if (argc < 9)
    {
        std::fprintf(stderr, "dumbbell tcp|udp pairs access-rate access-delay-us rate delay-us queue-frames seconds\n");
        return 64;
    }
    const bool isTcp = std::string(argv[1]) == "tcp";
    const int pairs = std::atoi(argv[2]);
    const uint64_t accessRate = std::strtoull(argv[3], nullptr, 10);
    const int64_t accessDelay = std::atoll(argv[4]);
    const uint64_t rate = std::strtoull(argv[5], nullptr, 10);
    const int64_t delay = std::atoll(argv[6]);
    const int queueFrames = std::atoi(argv[7]);
    const double seconds = std::atof(argv[8]);
    const uint64_t datagramRate = argc > 9 ? std::strtoull(argv[9], nullptr, 10) : 0;

    // What Martlet's hosts do: 1448 bytes of payload beside timestamps, windows of 1 MiB, CUBIC, an ACK for two segments.
    Config::SetDefault("ns3::TcpL4Protocol::SocketType", TypeIdValue(TcpCubic::GetTypeId()));
    Config::SetDefault("ns3::TcpSocket::SegmentSize", UintegerValue(1448));
    Config::SetDefault("ns3::TcpSocket::SndBufSize", UintegerValue(1 << 20));
    Config::SetDefault("ns3::TcpSocket::RcvBufSize", UintegerValue(1 << 20));
    Config::SetDefault("ns3::TcpSocket::InitialCwnd", UintegerValue(10));
    Config::SetDefault("ns3::TcpSocket::DelAckCount", UintegerValue(2));
    Config::SetDefault("ns3::TcpSocketBase::MinRto", TimeValue(MilliSeconds(200)));

    NodeContainer senders, routers, receivers;
    senders.Create(pairs);
    routers.Create(2);
    receivers.Create(pairs);

    PointToPointHelper access;
    access.SetDeviceAttribute("DataRate", DataRateValue(DataRate(accessRate)));
    access.SetChannelAttribute("Delay", TimeValue(MicroSeconds(accessDelay)));
    access.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue("1000p"));
    PointToPointHelper middle;
    middle.SetDeviceAttribute("DataRate", DataRateValue(DataRate(rate)));
    middle.SetChannelAttribute("Delay", TimeValue(MicroSeconds(delay)));
    middle.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue(std::to_string(queueFrames) + "p"));

    InternetStackHelper stack;
    stack.SetIpv6StackInstall(false);
    stack.InstallAll();

    // The device's queue is the only one: the queue disciplines that come with addresses are taken away.
    TrafficControlHelper control;
    Ipv4AddressHelper addresses;
    NetDeviceContainer bottleneck = middle.Install(routers.Get(0), routers.Get(1));
    addresses.SetBase("10.0.0.0", "255.255.255.252");
    addresses.Assign(bottleneck);
    control.Uninstall(bottleneck);
    std::vector<Ipv4Address> targets;
    NetDeviceContainer edges;
    for (int side = 0; side < 2; side++)
    {
        for (int pair = 0; pair < pairs; pair++)
        {
            NetDeviceContainer link =
                access.Install(routers.Get(side), side == 0 ? senders.Get(pair) : receivers.Get(pair));
            addresses.NewNetwork();
            Ipv4InterfaceContainer interfaces = addresses.Assign(link);
            control.Uninstall(link);
            edges.Add(link);
            if (side == 1)
            {
                targets.push_back(interfaces.GetAddress(1));
            }
        }
    }
    Ipv4GlobalRoutingHelper::PopulateRoutingTables();

    const uint16_t port = 5001;
    const std::string transport = isTcp ? "ns3::TcpSocketFactory" : "ns3::UdpSocketFactory";
    const uint32_t datagram = 1000;
    std::vector<Ptr<PacketSink>> sinks;
    for (int pair = 0; pair < pairs; pair++)
    {
        PacketSinkHelper sink(transport, InetSocketAddress(Ipv4Address::GetAny(), port));
        ApplicationContainer application = sink.Install(receivers.Get(pair));
        sinks.push_back(DynamicCast<PacketSink>(application.Get(0)));
        application.Start(Seconds(0));
        InetSocketAddress target(targets[pair], port);
        ApplicationContainer source;
        if (isTcp)
        {
            BulkSendHelper bulk(transport, target);
            bulk.SetAttribute("SendSize", UintegerValue(64000));
            source = bulk.Install(senders.Get(pair));
        }
        else
        {
            OnOffHelper constant(transport, target);
            constant.SetConstantRate(DataRate(datagramRate), datagram);
            source = constant.Install(senders.Get(pair));
        }
        // A millisecond apart, as in Martlet's dumbbell.
        source.Start(MilliSeconds(pair));
    }

    for (uint32_t index = 0; index < edges.GetN(); index++)
    {
        edges.Get(index)->TraceConnectWithoutContext("PhyRxEnd", MakeCallback(&Delivered));
    }
    for (uint32_t index = 0; index < 2; index++)
    {
        bottleneck.Get(index)->TraceConnectWithoutContext("PhyRxEnd", MakeCallback(&Crossed));
    }
    // A device stops the layer above when its queue is full, and what comes then is dropped there.
    routers.Get(0)->GetObject<TrafficControlLayer>()->TraceConnectWithoutContext("TcDrop", MakeCallback(&Dropped));
    DynamicCast<PointToPointNetDevice>(bottleneck.Get(0))
        ->GetQueue()
        ->TraceConnectWithoutContext("Drop", MakeCallback(&Dropped));

    Simulator::Stop(Seconds(seconds));
    const double start = ProcessorSeconds();
    Simulator::Run();
    const double elapsed = ProcessorSeconds() - start;

    uint64_t received = 0;
    for (const auto& sink : sinks)
    {
        received += sink->GetTotalRx();
    }
    std::printf("{\"hops\": %llu, \"seconds\": %.6f, \"hops_per_s\": %.0f, \"goodput_mbit_s\": %.3f, "
                "\"bottleneck_frames\": %llu, \"drops\": %llu}\n",
                static_cast<unsigned long long>(hops),
                elapsed,
                hops / elapsed,
                received * 8 / seconds / 1e6,
                static_cast<unsigned long long>(bottleneckFrames),
                static_cast<unsigned long long>(drops));
    Simulator::Destroy();
    return 0;
}
