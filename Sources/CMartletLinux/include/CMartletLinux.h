#pragma once

#include "MartletPoll.h"
#include "MartletDevices.h"
