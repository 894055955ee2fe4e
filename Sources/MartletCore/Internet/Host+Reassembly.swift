internal import MartletWire
