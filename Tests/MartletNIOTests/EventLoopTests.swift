import MartletNIO
